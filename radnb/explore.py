"The first front door: `from radnb.explore import *` gives data, measure and view in about a second, without torch."
from pathlib import Path
import numpy as np
import pandas as pd
from radnb.core import *
from radnb.data.volume import *
from radnb.data.geometry import *
from radnb.data.scan import *
from radnb.data.pixels import decode, overlays, voi_lut
from radnb.data.dicom import *
from radnb.data.segments import *
from radnb.data.contours import *
from radnb.data.parametric import *
from radnb.data.sr import *
from radnb.data.index import *
from radnb.data.series import *
from radnb.data.columns import *
from radnb.data.prepare import *
from radnb.data.phi import find_phi
from radnb.data.deid import deidentify, new_key
from radnb.data.phantom import *
from radnb.measure.stats import *
from radnb.measure.comparison import *
from radnb.measure.calibration import *
from radnb.measure.conformal import *
from radnb.measure.agreement import *
from radnb.measure.planning import *
from radnb.measure.metrics import *
from radnb.measure.detection import *
from radnb.measure.shapes import *
from radnb.measure.quality import *
from radnb.view.figures import *
from radnb.view.viewer import *
from radnb.view.compare import *
from radnb.view.threshold import *
from radnb.view.tune_intensity import otsu, threshold_mask
from radnb.view.cohort import *
from radnb.view.report import cohort_report
from radnb.view.dashboard import *
