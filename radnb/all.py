"The second front door: `from radnb.all import *` gives the whole journey, fastai included (several seconds to import)."
import warnings
# torch 2.15 warns that fastai's own import uses torch.jit.script: nothing the user can mend
warnings.filterwarnings('ignore', message='.*torch.jit.script.*', category=FutureWarning)
from radnb.explore import *
from radnb.share.safe_load import load_learner
from radnb.train.splits import *
from radnb.train.sealed import *
from radnb.train.reading import *
from radnb.train.blocks import *
from radnb.train.patches import *
from radnb.train.augment import *
from radnb.train.average import *
from radnb.train.losses import *
from radnb.train.weights import *
from radnb.train.models import *
from radnb.train.fitting import *
from radnb.train.learner import *
from radnb.train.baseline import *
from radnb.train.classify import *
from radnb.train.tabular import *
from radnb.train.regress import *
from radnb.train.pair import *
from radnb.train.segment import *
from radnb.train.sources import *
from radnb.train.plan import *
from radnb.train.ensemble import *
from radnb.train.studies import *
from radnb.explain.reports import *
from radnb.explain.report_numbers import *
from radnb.explain.report_masks import *
from radnb.explain.subgroups import *
from radnb.explain.versus import *
from radnb.explain.evaluate import *
from radnb.explain.detection_report import *
from radnb.explain.sanity import body_mask, outside_body, overlap_at_area
from radnb.explain.sanity import *
from radnb.explain.interpret import *
from radnb.explain.audit import *
from radnb.explain.robust import *
from radnb.explain.checks import *
from radnb.explain.imaging import *
from radnb.explain.judging import *
from radnb.explain.leaks import *
from radnb.explain.shift import *
from radnb.explain.shortcuts import *
from radnb.share.export import *
from radnb.share.publish import *
from radnb.share.predictor import *
from radnb.share.onnx_export import *
from radnb.share.bundle import *
