"Packaging: every fact about the project is read from settings.ini."
from configparser import ConfigParser
from pathlib import Path
from setuptools import find_packages, setup

cfg = ConfigParser(delimiters=['=']); cfg.read('settings.ini', encoding='utf-8')
s = cfg['DEFAULT']
extras = {k.removesuffix('_requirements'): v.split() for k,v in s.items() if k.endswith('_requirements')}

def jupyter_files(src='radnb/lab/labextension', dst='share/jupyter/labextensions/radnb'):
    "Where Jupyter looks for the JupyterLab extension and the server's configuration, and what lies there."
    folders = [Path(src), *(p for p in Path(src).rglob('*') if p.is_dir())]
    found = [((Path(dst)/d.relative_to(src)).as_posix(), [p.as_posix() for p in d.iterdir() if p.is_file()]) for d in folders]
    return [*found, (dst, ['lab/install.json']), ('etc/jupyter/jupyter_server_config.d', ['lab/radnb.json'])]

classifiers = [f'Intended Audience :: {s["audience"]}', 'Framework :: Jupyter', 'Topic :: Scientific/Engineering :: Medical Science Apps.', 'Programming Language :: Python :: 3']

setup(
    name=s['lib_name'], version=s['version'], description=s['description'], keywords=s['keywords'], license='Apache-2.0',
    author=s['author'], author_email=s['author_email'], classifiers=classifiers,
    long_description=Path('README.md').read_text(encoding='utf-8'), long_description_content_type='text/markdown',
    packages=[*find_packages(include=['radnb', 'radnb.*']), 'radnb.tutorials', 'radnb.templates'],
    package_data={'radnb': ['templates/**/*', '**/*.ipynb', '**/*.js', '**/*.css', '**/*.txt', '**/*.tsv']},
    exclude_package_data={'radnb': ['lab/labextension/*']}, data_files=jupyter_files(),   # the extension is needed in Jupyter's folder only
    python_requires=f'>={s["min_python"]}', install_requires=s['requirements'].split(), extras_require=extras,
    entry_points={'console_scripts': s['console_scripts'].split()}, zip_safe=False)
