// Colours are JupyterLab's, with those of its light theme where it is not around.
export const CSS = `
.rc { --line: var(--jp-border-color2, #e0e0e0); --soft: var(--jp-ui-font-color2, #616161); --ink: var(--jp-ui-font-color1, #212121); --bg: var(--jp-layout-color1, #fff);
  --bg2: color-mix(in srgb, var(--bg) 94%, var(--ink)); --blue: #0072B2; --warn: #B84A00; container-type: inline-size; position: relative; box-sizing: border-box; width: 100%;
  border: 1px solid var(--line); border-radius: 3px; background: var(--bg); color: var(--ink); font: 13px/1.35 var(--jp-ui-font-family, system-ui, sans-serif); }
.rc.rc-dark { --blue: #4aa3df; --warn: #f0883e; }
.rc *, .rc *::before { box-sizing: border-box; }
.rc button, .rc input, .rc select { font: inherit; color: inherit; }
.rc-top { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; padding: 6px 8px; border-bottom: 1px solid var(--line); }
.rc-top input[type=search] { flex: 1 1 220px; min-width: 160px; height: 28px; padding: 0 8px; border: 1px solid var(--jp-border-color1, #bdbdbd); border-radius: 3px; background: var(--bg); }
.rc-top select { height: 28px; border: 1px solid var(--jp-border-color1, #bdbdbd); border-radius: 3px; background: var(--bg); max-width: 190px; }
.rc-button { height: 28px; padding: 0 10px; border: 1px solid var(--jp-border-color1, #bdbdbd); border-radius: 3px; background: var(--bg2); cursor: pointer; white-space: nowrap; }
.rc-button:hover { border-color: var(--blue); }
.rc-button[aria-pressed=true] { background: var(--blue); border-color: var(--blue); color: var(--bg) !important; }
.rc-level { display: inline-flex; } .rc-level .rc-button { border-radius: 0; margin-left: -1px; }
.rc :focus-visible { outline: 2px solid var(--blue); outline-offset: -1px; }
.rc-body { display: flex; position: relative; overflow: hidden; }
.rc-facets { flex: 0 0 206px; overflow: auto; padding: 2px 8px 8px; border-right: 1px solid var(--line); }
.rc-facets[hidden] { display: none; }
.rc-facets section { margin: 8px 0; }
.rc h4 { margin: 0 0 2px; font-size: 12px; font-weight: 600; display: flex; justify-content: space-between; color: var(--ink); }
.rc-link { border: 0; background: none; padding: 0 2px; font-size: 11px !important; font-weight: 400; color: var(--blue) !important; cursor: pointer; }
.rc-bar { position: relative; display: flex; width: 100%; height: 19px; margin: 1px 0; padding: 0 4px; border: 0; background: none; cursor: pointer; align-items: center; text-align: left; font-size: 12px !important; }
.rc-bar:hover { background: var(--bg2); }
.rc-fill { position: absolute; left: 0; top: 1px; bottom: 1px; min-width: 2px; background: var(--blue); opacity: .22; border-radius: 2px; }
.rc-on .rc-fill { opacity: .55; } .rc-on { font-weight: 600 !important; box-shadow: inset 2px 0 var(--blue); }
.rc-word { position: relative; flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.rc-n { position: relative; color: var(--soft); padding-left: 6px; font-variant-numeric: tabular-nums; }
.rc-missing .rc-word { font-style: italic; color: var(--soft); }
.rc-right { flex: 1; min-width: 0; display: flex; flex-direction: column; }
.rc-head, .rc-series { display: grid; grid-template-columns: 26px 66px minmax(190px, 3fr) 76px minmax(84px, 1fr) 64px minmax(88px, 1.1fr) 24px; gap: 8px; align-items: center; padding: 0 8px; }
.rc-head { height: 28px; border-bottom: 1px solid var(--line); background: var(--bg2); }
.rc-head button { border: 0; background: none; padding: 0; text-align: left; cursor: pointer; font-weight: 600; font-size: 12px; color: var(--soft); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.rc-head button[data-on] { color: var(--blue); }
.rc-list { position: relative; flex: 1; overflow-y: auto; overflow-x: hidden; overscroll-behavior: contain; outline: none; contain: strict; }
.rc-list:focus-visible { outline: none; }
.rc-list:focus .rc-active { box-shadow: inset 0 0 0 2px var(--blue); }
.rc-space { position: relative; }
.rc-sticky { position: sticky; top: 0; height: 0; z-index: 2; }
.rc-line { position: absolute; left: 0; right: 0; overflow: hidden; border-bottom: 1px solid var(--line); background: var(--bg); cursor: default; contain: layout style paint; user-select: none; }
.rc-sticky .rc-line { position: relative; box-shadow: 0 1px 2px rgba(0,0,0,.12); }
.rc-series { height: 74px; }
.rc-series:hover { background: var(--bg2); }
.rc-patient, .rc-study { display: flex; gap: 8px; align-items: center; padding: 0 8px; white-space: nowrap; background: var(--bg2); }
.rc-patient { height: 34px; font-size: 13.5px; } .rc-study { height: 28px; padding-left: 24px; }
.rc-patient .rc-words, .rc-study .rc-words { overflow: hidden; text-overflow: ellipsis; }
.rc-words span { color: var(--soft); }
.rc-fold { width: 18px; height: 22px; border: 0; background: none; cursor: pointer; padding: 0; color: var(--soft); font-size: 11px !important; }
.rc-tick { flex: none; width: 16px; height: 16px; border: 1.5px solid var(--soft); border-radius: 3px; display: grid; place-items: center; font-size: 12px; line-height: 1; cursor: pointer; justify-self: center; }
.rc-tick::before { content: ''; }
[aria-selected=true] > .rc-tick, .rc-some > .rc-tick { background: var(--blue); border-color: var(--blue); color: #fff; }
[aria-selected=true] > .rc-tick::before { content: '✓'; } .rc-some > .rc-tick::before { content: '–'; }
.rc-series[aria-selected=true] { background: color-mix(in srgb, var(--blue) 10%, var(--bg)); }
.rc-thumb { width: 66px; height: 66px; background: #000; color: #bbb; display: grid; place-items: center; overflow: hidden; font-size: 10px; line-height: 1.2; text-align: center; }
.rc-thumb img { max-width: 66px; max-height: 66px; display: block; margin: 0; }
.rc-title { font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.rc-sub { font-size: 12px; color: var(--soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.rc-cell { font-size: 12px; overflow: hidden; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; }
.rc-bad { color: var(--warn); font-weight: 600; }
.rc-none { color: var(--soft); font-style: italic; }
.rc-info { width: 20px; height: 20px; padding: 0; border: 1px solid var(--soft); border-radius: 10px; font-size: 13px !important; line-height: 1 !important; background: none; cursor: pointer; color: var(--soft) !important; font-family: Georgia, serif !important; font-style: italic; }
.rc-info:hover, .rc-info:focus-visible { border-color: var(--blue); color: var(--blue) !important; }
.rc-bottom { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding: 6px 8px; border-top: 1px solid var(--line); }
.rc-status { flex: 1; min-width: 200px; }
.rc-status b { font-weight: 600; }
.rc-detail { position: absolute; right: 0; top: 0; bottom: 0; width: min(380px, 100%); overflow: auto; z-index: 3; padding: 10px 12px; background: var(--bg); border-left: 1px solid var(--line); box-shadow: -3px 0 10px rgba(0,0,0,.18); outline: none; }
.rc-detail[hidden] { display: none; }
.rc-close { position: absolute; right: 6px; top: 4px; width: 26px; height: 26px; border: 0; background: none; cursor: pointer; font-size: 18px !important; z-index: 1; }
.rc-big { min-height: 120px; background: #000; color: #bbb; display: grid; place-items: center; margin-right: 28px; padding: 4px; } .rc-big img { max-width: 100%; display: block; margin: 0; image-rendering: auto; }
.rc-big img[hidden] { display: none; }
.rc-why { font-size: 12px; padding: 0 8px; }
.rc-code { display: flex; gap: 8px; align-items: flex-start; margin: 8px 0; } .rc-code code { flex: 1; font: 12px/1.4 var(--jp-code-font-family, monospace); background: var(--bg2); padding: 5px 7px; overflow-wrap: anywhere; user-select: text; color: inherit; }
.rc dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 0; font-size: 12px; user-select: text; } .rc dl dt { float: none; width: auto; font-weight: 400; color: var(--soft); } .rc dl dd { float: none; width: auto; margin: 0; overflow-wrap: anywhere; }
.rc-empty { padding: 30px; text-align: center; color: var(--soft); }
@container (max-width: 820px) { .rc-head, .rc-series { grid-template-columns: 26px 66px minmax(120px, 2fr) 84px minmax(100px, 1.2fr) 26px; } .rc-c-scanner, .rc-c-plane { display: none; } }
@container (max-width: 600px) { .rc-facets { position: absolute; inset: 0 auto 0 0; z-index: 3; background: var(--bg); width: 206px; } .rc-head, .rc-series { grid-template-columns: 26px 66px 1fr 26px; } .rc-c-date, .rc-c-verdict { display: none; } }
`;
