"The first front door: `from radnb.explore import *` gives data, measure and view in about a second, without torch."
from pathlib import Path
import numpy as np
import pandas as pd
from radnb.core import *
from radnb.data.volume import *
from radnb.data.dicom import *
from radnb.data.index import *
from radnb.data.phantom import *
from radnb.measure.stats import *
from radnb.measure.metrics import *
from radnb.view.figures import *
from radnb.view.viewer import *
from radnb.view.threshold import *
from radnb.view.cohort import *
from radnb.view.dashboard import *
