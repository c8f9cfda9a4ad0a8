"""Sphinx's settings. `python docs/build.py` puts the source together, builds and checks it."""
import configparser, json
from pathlib import Path

DOCS = Path(__file__).resolve().parent
_about = configparser.ConfigParser(delimiters=['='])
_about.read(DOCS.parent/'settings.ini', encoding='utf-8')
_about = _about['DEFAULT']

project, author, release = _about['lib_name'], _about['author'], _about['version']
version, copyright = release, f'{author}. Apache-2.0'
repository = _about.get('git_url', f'https://github.com/{_about["user"]}/{_about["lib_name"]}')

extensions = ['myst_nb', 'sphinx_design', 'sphinx_copybutton']
nb_execution_mode = 'off'  # they were executed, as tests
nb_ipywidgets_js = {}      # views are pictures here; nothing is fetched
nb_merge_streams = True
nb_render_image_options = {'alt': 'output of the cell above'}
nb_number_source_lines = False
myst_enable_extensions = ['colon_fence', 'deflist', 'attrs_inline', 'attrs_block']
myst_heading_anchors = 4
nitpicky = True
suppress_warnings = ['myst.header', 'mystnb.unknown_mime_type']
add_module_names = False
python_use_unqualified_type_names = True
toc_object_entries_show_parents = 'hide'
templates_path = [str(DOCS/'_templates')]
exclude_patterns = []
default_role = None
copybutton_exclude = '.linenos, .gp, .go'

html_theme = 'pydata_sphinx_theme'
html_title = 'radnb'
html_static_path = [str(DOCS/'_static')]
html_css_files = ['radnb.css']
html_favicon = str(DOCS/'_static'/'logo.svg')
html_copy_source = html_show_sourcelink = False
html_show_search_summary = False  # it would have to fetch the pages, which a browser does not do from a folder
html_permalinks_icon = '#'
html_baseurl = ''
html_last_updated_fmt = None
pygments_style = 'default'

html_context = dict(default_mode='auto', versions=json.loads((DOCS/'versions.json').read_text(encoding='utf-8')), repository=repository)
html_theme_options = dict(
    logo=dict(text='radnb', image_light=str(DOCS/'_static'/'logo.svg'), image_dark=str(DOCS/'_static'/'logo.svg'), alt_text='radnb, to the front page'),
    navbar_align='left', navbar_end=['versions', 'theme-switcher'], navbar_persistent=['search-button'], header_links_before_dropdown=6,
    secondary_sidebar_items=['page-toc', 'edit-this-page'], use_edit_page_button=True, show_toc_level=2, navigation_depth=3, show_nav_level=1,
    footer_start=['research-only'], footer_center=[], footer_end=['copyright'], search_bar_text='Search: dice, window, leak ...', back_to_top_button=False,
    pygments_light_style='a11y-high-contrast-light', pygments_dark_style='a11y-high-contrast-dark', search_as_you_type=False, show_version_warning_banner=False)
html_sidebars = {k: [] for k in ('index', 'install', 'concepts', 'benchmarks', 'changelog', 'contributing', 'recipes/index', 'tutorials/index', 'genindex', 'search')}

def _editable(app, pagename, templatename, context, doctree):
    "Where a page is edited: in the file that it is made from, wherever in the repository that lies."
    source = app.config.radnb_edit.get(pagename)
    context['edit_page_provider_name'] = None
    context['edit_page_url_template'] = f'{repository}/edit/main/{source}' + '{#- file_name -#}' if source else None
    if source is None: context['theme_use_edit_page_button'] = False

def _read_edit(app): app.config.radnb_edit = json.loads((Path(app.srcdir)/'edit.json').read_text(encoding='utf-8'))

def setup(app):
    app.add_config_value('radnb_edit', {}, '')
    app.connect('builder-inited', _read_edit)
    app.connect('html-page-context', _editable, priority=100)
    return dict(parallel_read_safe=True, parallel_write_safe=True)
