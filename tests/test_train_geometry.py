"Where the network marks something is where it lies in the patient: a ball painted in mm, prepared as a network gets it, restored, in scans lying every way."
import itertools
import numpy as np, pytest
from radnb.data.volume import Volume
from radnb.data.prepare import Preprocess

CENTRE,RADIUS = np.array([4., -7., 12.]), 11.   # mm, patient coordinates

def tilted(spacing, degrees):
    "An empty scan around the patient's origin, turned about two axes as a gantry or a head is."
    a,b = np.radians(degrees)
    turn = np.array([[np.cos(a),-np.sin(a),0],[np.sin(a),np.cos(a),0],[0,0,1]]) @ np.array([[1,0,0],[0,np.cos(b),-np.sin(b)],[0,np.sin(b),np.cos(b)]])
    columns = turn @ np.array([[0,0,-spacing[2]],[0,-spacing[1],0],[spacing[0],0,0]])     # slices upwards, rows to the back, columns to the right
    shape = tuple(int(np.ceil(64/s)) for s in spacing)
    affine = np.eye(4); affine[:3,:3] = columns; affine[:3,3] = -columns @ (np.array(shape)-1)/2
    return Volume(np.zeros(shape, np.float32), affine, 'a.u.')

def mm(vol):
    "Patient coordinates of every voxel, `(..., 3)`."
    index = np.stack(np.meshgrid(*map(np.arange, vol.shape), indexing='ij'), -1)
    return index @ vol.affine[:3,:3].T+vol.affine[:3,3]

def ball(vol): return vol.like((np.linalg.norm(mm(vol)-CENTRE, axis=-1) <= RADIUS).astype(np.uint8), unit='label')

SCANS = [((1.,1.,1.), (0,0)), ((3.,.9,.9), (0,0)), ((2.,1.1,1.), (17,-23)), ((1.3,1.3,2.5), (-40,12))]
PREPS = [dict(), dict(spacing=2.), dict(spacing=(1.7,1.1,1.3)), dict(size=(40,48,48)), dict(spacing=1.5, size=(50,61,60))]

@pytest.mark.parametrize('scan,prep', list(itertools.product(SCANS, PREPS)), ids=str)
@pytest.mark.parametrize('codes', [None,'LSA'])
def test_what_is_marked_comes_back_to_the_same_millimetre(scan, prep, codes):
    vol = tilted(*scan)
    truth = ball(vol if codes is None else vol.reorient(codes))
    where,prep = mm(truth), Preprocess(**prep, window=(.5,1.))
    painted = where[truth.data > 0].mean(0)
    assert np.linalg.norm(painted-CENTRE) < .1

    # a probability, as a network gives it: moved by less than a twentieth of a voxel of the scan
    back = prep.restore(prep.image(truth.like(truth.data.astype(np.float32), unit='a.u.')), truth)
    assert back.shape == truth.shape
    found = (where*back[...,None]).sum((0,1,2))/back.sum()
    assert np.abs(np.linalg.inv(truth.affine[:3,:3]) @ (found-painted)).max() < .05

    # a mask, taken to the network's grid by what fills most of a voxel: by less than a tenth of a voxel of the coarser grid
    back = prep.restore(prep.mask(truth), truth) > .5
    turned = truth.reorient('SPL')
    coarser = np.maximum(turned.spacing, prep.voxel_size(truth))
    found = np.abs(np.linalg.inv(turned.affine[:3,:3]) @ (where[back].mean(0)-painted))*turned.spacing
    assert (found < .1*coarser).all()
    assert abs(back.sum()/truth.data.sum()-1) < .1
