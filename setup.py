"Packaging: every fact about the project is read from settings.ini."
from configparser import ConfigParser
from pathlib import Path
from setuptools import find_packages, setup

cfg = ConfigParser(delimiters=['=']); cfg.read('settings.ini', encoding='utf-8')
s = cfg['DEFAULT']
extras = {k.removesuffix('_requirements'): v.split() for k,v in s.items() if k.endswith('_requirements')}
classifiers = [f'Intended Audience :: {s["audience"]}', 'Framework :: Jupyter', 'Topic :: Scientific/Engineering :: Medical Science Apps.', 'Programming Language :: Python :: 3']

setup(
    name=s['lib_name'], version=s['version'], description=s['description'], keywords=s['keywords'], license='Apache-2.0',
    author=s['author'], author_email=s['author_email'], classifiers=classifiers,
    long_description=Path('README.md').read_text(encoding='utf-8'), long_description_content_type='text/markdown',
    packages=[*find_packages(include=['radnb', 'radnb.*']), 'radnb.tutorials'], package_data={'radnb': ['**/*.ipynb', '**/*.js', '**/*.css', '**/*.tsv']},
    python_requires=f'>={s["min_python"]}', install_requires=s['requirements'].split(), extras_require=extras,
    entry_points={'console_scripts': s['console_scripts'].split()}, zip_safe=False)
