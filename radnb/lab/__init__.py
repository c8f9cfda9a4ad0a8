"radnb inside Jupyter: scans opened from the file browser, and IPython magics. Importing this costs nothing; a server imports the rest when it is asked for a scan."

def _jupyter_labextension_paths():
    "Where the prebuilt JupyterLab extension lies, and its name."
    return [dict(src='labextension', dest='radnb')]

def _jupyter_server_extension_points():
    "What Jupyter Server is to load."
    return [dict(module='radnb.lab')]

def _load_jupyter_server_extension(app):
    "Give a Jupyter server the routes below /radnb."
    from .server import add_routes
    add_routes(app)
