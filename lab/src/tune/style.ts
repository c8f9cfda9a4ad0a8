// How the tuners look: JupyterLab's colours, with those of other front ends behind them. Blue is right, orange is wrong or marked.

export const CSS = `
.radnb-tuner { --blue:#0072B2; --orange:#D55E00; --grey:#8a8a8a; --ink:var(--jp-ui-font-color1, var(--vscode-foreground, #222)); --soft:var(--jp-ui-font-color2, var(--vscode-descriptionForeground, #666));
  --line:var(--jp-border-color2, var(--vscode-widget-border, #ccc)); --paper:var(--jp-layout-color1, var(--vscode-editor-background, #fff)); --lift:var(--jp-layout-color2, rgba(128,128,128,.12));
  font:13px/1.4 var(--jp-ui-font-family, system-ui, sans-serif); color:var(--ink); padding:4px 2px 8px; font-variant-numeric:tabular-nums; }
[data-jp-theme-light=false] .radnb-tuner, .vscode-dark .radnb-tuner, html[theme=dark] .radnb-tuner { --blue:#4FB0EA; --orange:#FF8F45; --grey:#9a9a9a; }
.radnb-tuner * { box-sizing:border-box; }
.radnb-tuner .row { display:flex; flex-wrap:wrap; gap:6px 18px; align-items:center; margin:5px 0; }
.radnb-tuner .row label { display:flex; align-items:center; gap:6px; white-space:nowrap; }
.radnb-tuner .choice { font-size:14px; }
.radnb-tuner .choice b { font-size:15px; }
.radnb-tuner .soft, .radnb-tuner .code { color:var(--soft); font-size:11.5px; }
.radnb-tuner code { font:11.5px var(--jp-code-font-family, monospace); background:none; color:inherit; padding:0; user-select:all; }
.radnb-tuner .message { color:var(--orange); font-weight:600; min-height:0; }
.radnb-tuner .message:empty { display:none; }
.radnb-tuner input, .radnb-tuner select, .radnb-tuner button { font:inherit; color:var(--ink); background:var(--paper); border:1px solid var(--line); border-radius:3px; height:26px; padding:0 6px; margin:0; }
.radnb-tuner input[type=number] { width:76px; }
.radnb-tuner input[type=range] { padding:0; border:0; background:none; accent-color:var(--blue); width:200px; }
.radnb-tuner input[type=checkbox] { height:auto; accent-color:var(--blue); }
.radnb-tuner button { cursor:pointer; }
.radnb-tuner button:hover { background:var(--lift); }
.radnb-tuner .segments { display:inline-flex; }
.radnb-tuner .segments button { border-radius:0; margin-left:-1px; padding:0 10px; }
.radnb-tuner .segments button:first-child { border-radius:3px 0 0 3px; margin-left:0; }
.radnb-tuner .segments button:last-child { border-radius:0 3px 3px 0; }
.radnb-tuner .segments button[aria-pressed=true] { background:var(--blue); border-color:var(--blue); color:#fff; }
[data-jp-theme-light=false] .radnb-tuner .segments button[aria-pressed=true], .vscode-dark .radnb-tuner .segments button[aria-pressed=true] { color:#06202f; }
.radnb-tuner :is(input,select,button,svg,tr):focus-visible { outline:2px solid var(--blue); outline-offset:1px; }
.radnb-tuner .charts { display:flex; flex-wrap:wrap; gap:6px 8px; margin:8px 0 2px; }
.radnb-tuner[data-kind=classify] .charts svg { flex:1 1 205px; max-width:290px; height:auto; }
.radnb-chart { cursor:crosshair; touch-action:none; user-select:none; max-width:100%; border-radius:3px; font-size:11px; }
.radnb-chart text { fill:var(--ink); }
.radnb-chart .axes line { stroke:var(--ink); stroke-opacity:.13; }
.radnb-chart .axes text { fill:var(--soft); }
.radnb-chart .title { font-size:12px; font-weight:600; text-anchor:middle; }
.radnb-chart .line { fill:none; stroke:var(--blue); stroke-width:1.9; stroke-linejoin:round; }
.radnb-chart .line.dash { stroke:var(--grey); stroke-width:1; stroke-dasharray:3 3; }
.radnb-chart .line.thin { stroke:var(--grey); stroke-width:.7; stroke-opacity:.5; }
.radnb-chart .line.grey { stroke:var(--grey); stroke-width:1.3; }
.radnb-chart .line.cross { stroke:var(--orange); stroke-width:2.4; stroke-opacity:.75; }
.radnb-chart .band { fill:var(--blue); fill-opacity:.17; }
.radnb-chart .range { fill:var(--orange); fill-opacity:.16; }
.radnb-chart .mark { fill:var(--orange); stroke:var(--paper); stroke-width:1.5; }
.radnb-chart .point { fill:var(--blue); fill-opacity:.75; }
.radnb-chart .picked { fill:none; stroke:var(--orange); stroke-width:2; }
.radnb-chart .rule { stroke:var(--orange); stroke-width:2; }
.radnb-chart .bar { fill-opacity:.55; }
.radnb-chart .bar.well { fill:var(--blue); }
.radnb-chart .bar.ill { fill:var(--orange); }
.radnb-chart .bar.plain { fill:var(--grey); fill-opacity:.75; }
.radnb-tuner .key span::before { content:'■ '; }
.radnb-tuner .key .well::before { color:var(--blue); } .radnb-tuner .key .ill::before { color:var(--orange); }
.radnb-tuner .numbers { display:flex; flex-wrap:wrap; gap:10px 34px; align-items:flex-start; margin-top:8px; }
.radnb-tuner table { border-collapse:collapse; font-size:12.5px; margin:0; width:auto; table-layout:auto; color:inherit; }
.radnb-tuner :is(th,td) { padding:2px 10px 2px 0; text-align:left; vertical-align:top; white-space:nowrap; border:0; background:none; max-width:none; }
.radnb-tuner :is(tr,tbody,thead) { background:none !important; border:0; }
.radnb-tuner th { font-weight:500; color:var(--soft); }
.radnb-tuner thead th { font-weight:600; color:var(--ink); vertical-align:bottom; }
.radnb-tuner .flag { color:var(--orange); font-weight:600; }
.radnb-tuner .confusion tbody td { text-align:center; width:104px; padding:6px 4px; border:2px solid transparent; background-clip:padding-box !important; }
.radnb-tuner .confusion b { display:block; font-size:19px; line-height:1.25; }
.radnb-tuner .confusion th { text-align:right; vertical-align:middle; color:var(--ink); }
.radnb-tuner .confusion thead th { text-align:center; font-weight:500; }
.radnb-tuner .confusion small { color:var(--soft); font-weight:400; font-size:11px; display:block; }
.radnb-tuner .ci { display:block; position:relative; height:7px; width:108px; margin-top:1px; }
.radnb-tuner .ci::before { content:''; position:absolute; left:0; right:0; top:3px; height:1px; background:var(--ink); opacity:.2; }
.radnb-tuner .ci i { position:absolute; top:1px; height:5px; background:var(--blue); opacity:.45; border-radius:2px; min-width:1px; }
.radnb-tuner .ci b { position:absolute; top:0; width:7px; height:7px; margin-left:-3.5px; border-radius:50%; background:var(--blue); }
.radnb-tuner .cases { max-height:236px; overflow:auto; border:1px solid var(--line); border-radius:3px; }
.radnb-tuner .cases :is(td,th) { text-align:right; padding:2px 10px; }
.radnb-tuner .cases :is(td,th):first-child { text-align:left; }
.radnb-tuner .cases thead th { position:sticky; top:0; background:var(--jp-layout-color2, var(--paper)); cursor:pointer; z-index:1; }
.radnb-tuner .cases tbody tr { cursor:pointer; }
.radnb-tuner .cases tbody tr:hover { background:var(--lift) !important; }
.radnb-tuner .cases tbody tr[aria-selected=true] { background:color-mix(in srgb, var(--blue) 25%, transparent) !important; }
.radnb-tuner .thousand { margin-top:8px; }
`;
