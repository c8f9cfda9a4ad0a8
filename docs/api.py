"""What a module offers, read from the source of its notebook: signatures, docments, docstrings. Nothing is imported, so nothing has to be installed."""
import ast, inspect, io, re, tokenize
from dataclasses import dataclass, field

@dataclass
class Param:
    "One parameter as its docment describes it."
    name: str
    type: str = ''
    default: str = ''
    meaning: str = ''

@dataclass
class Item:
    "A public function, class, method, property or value."
    kind: str            # function, class, method, property, exception, data
    name: str            # with the class in front: `Volume.show`
    call: str = ''       # `(mask=None, *, plane=None)`
    doc: str = ''
    params: list = field(default_factory=list)
    returns: Param = None
    members: list = field(default_factory=list)
    also: list = field(default_factory=list)  # further classes that have the method

def _comments(source):
    "Line number -> the comment that ends it, directives left out."
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string.lstrip('# ').strip() for t in tokens if t.type == tokenize.COMMENT and not t.string.startswith('#|')}

def _text(node):
    if node is None: return ''
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ast.unparse(node)

def _decorators(node):
    "Name of each decorator -> its call, if it is one."
    return {ast.unparse(d.func if isinstance(d, ast.Call) else d).split('.')[-1]: d for d in node.decorator_list}

def _says(decorator, option): return isinstance(decorator, ast.Call) and any(k.arg == option and getattr(k.value, 'value', False) for k in decorator.keywords)

def _signature(fn, comments, drop_first):
    "The parameters of a function, its result, and its call as one writes it."
    a = fn.args
    positional = a.posonlyargs+a.args
    defaults = [None]*(len(positional)-len(a.defaults))+a.defaults
    rows = list(zip(positional, defaults, ['']*len(positional)))[int(drop_first):]
    if a.vararg: rows.append((a.vararg, None, '*'))
    elif a.kwonlyargs: rows.append((None, None, '*'))
    rows += list(zip(a.kwonlyargs, a.kw_defaults, ['']*len(a.kwonlyargs)))
    if a.kwarg: rows.append((a.kwarg, None, '**'))
    starts = [arg.lineno for arg,*_ in rows if arg is not None]
    params, call = [], []
    for arg,default,stars in rows:
        if arg is None: call.append('*'); continue
        shown = ast.unparse(default) if default is not None else ''
        last_line = default.end_lineno if default is not None else arg.end_lineno
        alone = starts.count(arg.lineno) == 1 and arg.lineno > fn.lineno
        params.append(Param(stars+arg.arg, _text(arg.annotation), shown, comments.get(last_line, '') if alone else ''))
        call.append(stars+arg.arg+(f'={shown}' if shown else ''))
    returns = Param('', _text(fn.returns), '', comments.get(fn.returns.end_lineno, '') if fn.returns.end_lineno < fn.body[0].lineno else '') if fn.returns is not None else None
    return params, returns, f'({", ".join(call)})'

def _function(fn, comments, owner=''):
    "A function or method as an `Item`."
    marks = _decorators(fn)
    patched = 'patch' in marks
    owners = []
    if patched and (first := (fn.args.posonlyargs+fn.args.args)[0]).annotation is not None:
        owners = re.findall(r'\w+', _text(first.annotation))
    owner = owners[0] if owners else owner
    as_property = bool({'property', 'cached_property', 'lazy'} & set(marks)) or _says(marks.get('patch'), 'as_prop')
    params,returns,call = _signature(fn, comments, drop_first=bool(owner) and 'staticmethod' not in marks)
    kind = 'property' if as_property else 'method' if owner else 'function'
    return Item(kind, f'{owner}.{fn.name}' if owner else fn.name, '' if as_property else call, ast.get_docstring(fn) or '', params, returns, also=owners[1:])

def _class(node, comments):
    "A class with its public methods."
    item = Item('exception' if node.name.endswith('Error') or any('Error' in ast.unparse(b) for b in node.bases) else 'class', node.name, doc=ast.get_docstring(node) or '')
    seen = set()
    for o in node.body:
        if not isinstance(o, (ast.FunctionDef, ast.AsyncFunctionDef)): continue
        if o.name == '__init__':
            item.params,_,item.call = _signature(o, comments, drop_first=True)
            item.doc = '\n\n'.join(filter(None, (item.doc, ast.get_docstring(o))))
        elif not o.name.startswith('_') and o.name not in seen:
            seen.add(o.name)
            member = _function(o, comments, node.name)
            if member.doc or any(p.meaning for p in member.params): item.members.append(member)  # what nobody has described is not for callers
    if 'dataclass' in _decorators(node) or any('NamedTuple' in ast.unparse(b) for b in node.bases): _fields(node, comments, item)
    return item

def _fields(node, comments, item):
    "The fields of a dataclass are the parameters of its constructor."
    rows = [o for o in node.body if isinstance(o, ast.AnnAssign) and isinstance(o.target, ast.Name) and not o.target.id.startswith('_')]
    item.params = [Param(o.target.id, _text(o.annotation), '' if o.value is None else _default(o.value), comments.get(o.end_lineno, '')) for o in rows]
    item.call = '('+', '.join(p.name+(f'={p.default}' if p.default else '') for p in item.params)+')'

def _default(value):
    "A default as one writes it: of `field(default_factory=dict)` the dict."
    if isinstance(value, ast.Call) and ast.unparse(value.func).split('.')[-1] == 'field':
        given = {k.arg: k.value for k in value.keywords}
        if 'default' in given: return ast.unparse(given['default'])
        return f'{ast.unparse(given["default_factory"])}()' if 'default_factory' in given else ''
    return ast.unparse(value)

def items(
    source # An exported cell
) -> list:
    "The public things that an exported cell defines."
    tree, comments, found = ast.parse(source), _comments(source), []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)): item = _function(node, comments)
        elif isinstance(node, ast.ClassDef): item = _class(node, comments)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            shown = ' '.join(ast.unparse(node.value).split())
            item = Item('data', node.targets[0].id, f' = {shown}' if len(shown) < 60 else '', comments.get(node.end_lineno, '') or comments.get(node.lineno-1, '').lstrip(':# '))
        else: continue
        if not any(part.startswith('_') for part in item.name.split('.')): found.append(item)
    return found

# ---- as MyST

def _cell(text): return ' '.join(text.split()).replace('|', '\\|')

def _code(text): return f'`{_cell(text)}`' if text else ''

def _table(params):
    "Docments as a table; columns that nobody has filled are left out, and the table where no parameter says more than its name."
    if not any(p.meaning or p.type for p in params): return ''
    columns = dict(parameter=[_code(p.name) for p in params], type=[_code(p.type) for p in params], default=[_code(p.default) for p in params],
                   meaning=[_cell(p.meaning) for p in params])
    columns = {k: v for k,v in columns.items() if any(v)}
    return '\n'.join(f'| {" | ".join(row)} |' for row in [columns, ['---']*len(columns), *zip(*columns.values())])

_ROLE = dict(function='py:function', method='py:method', property='py:property', data='py:data', exception='py:exception')
_ROLE['class'] = 'py:class'

def _returns(r):
    if r is None or not (r.type and r.type != 'None' or r.meaning): return ''
    return '**Returns** '+' · '.join(filter(None, (f'`{r.type}`' if r.type else '', r.meaning)))

def myst(
    item, # An `Item`
    module, # `radnb.data.volume`
    link=lambda text: text, # Turns names in backticks into links
    known=None, # Names described before (a set, which grows): a second description is not indexed
    inside=False # Is it a member of a class that is being described?
) -> str:
    "The description of `item` in MyST: signature, docstring, table of parameters, result."
    known = set() if known is None else known
    body = [link(inspect.cleandoc(item.doc)), link(_table(item.params)), link(_returns(item.returns))]
    if item.also: body.append('Also a method of '+', '.join(link(f'`{c}`') for c in item.also)+'.')
    body += [myst(m, module, link, known, inside=True) for m in item.members]
    body = '\n\n'.join(filter(None, body))
    fence = '`'*(3+max((len(m) for m in re.findall(r'^(`{3,})', body, flags=re.M)), default=2)-2)
    options = [f':module: {module}']
    if item.name in known: options.append(':no-index:')
    known.add(item.name)
    value = item.kind == 'data' and item.call.removeprefix(' = ')
    if value: options.append(f":value: '{value}'" if "'" not in value else f':value: {value!r}')
    return '\n'.join([f'{fence}{{{_ROLE[item.kind]}}} {item.name}{"" if item.kind == "data" else item.call}', *options, '', body, fence])
