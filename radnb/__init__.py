__version__ = "0.1.0"

def load_ipython_extension(shell):
    "`%load_ext radnb`: the magic `%dicom`."
    from .lab.magics import load
    load(shell)
