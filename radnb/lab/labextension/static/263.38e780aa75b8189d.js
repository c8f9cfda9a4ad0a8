"use strict";(self.rspackChunkradnb=self.rspackChunkradnb||[]).push([[263],{538(r,e,a){var o=a(557),n=a.n(o),t=a(602),i=a.n(t),d=a(338),l=a.n(d),p=a(173),s=a.n(p),b=a(569),c=a.n(b),u=a(934),m=a.n(u),x=a(714),f={};f.styleTagTransform=m(),f.setAttributes=s(),f.insert=l().bind(null,"head"),f.domAPI=i(),f.insertStyleElement=c(),n()(x.A,f),x.A&&x.A.locals&&x.A.locals},714(r,e,a){var o=a(108),n=a.n(o),t=a(749),i=(a.n(t))()(n());i.push([r.id,`/* Colours and sizes come from JupyterLab's theme; the picture itself is always on black. */

.radnb-Panel {
  display: grid;
  grid-template: 'bar' auto 'middle' minmax(0, 1fr) 'foot' auto / minmax(0, 1fr);
  height: 100%;
  color: var(--jp-ui-font-color1);
  background: var(--jp-layout-color1);
  font-family: var(--jp-ui-font-family);
  font-size: var(--jp-ui-font-size1);
}
.radnb-Panel.radnb-mod-strip { grid-template: 'strip bar' auto 'strip middle' minmax(0, 1fr) 'foot foot' auto / 184px minmax(0, 1fr); }
.radnb-Panel.radnb-mod-header { grid-template: 'bar header' auto 'middle header' minmax(0, 1fr) 'foot foot' auto / minmax(0, 1fr) var(--radnb-header, 40%); }
.radnb-Panel.radnb-mod-strip.radnb-mod-header {
  grid-template: 'strip bar header' auto 'strip middle header' minmax(0, 1fr) 'foot foot foot' auto / 184px minmax(0, 1fr) var(--radnb-header, 38%);
}

/* little room: series above, header below */
.radnb-Panel.radnb-mod-narrow, .radnb-Panel.radnb-mod-narrow.radnb-mod-strip { grid-template: 'strip' auto 'bar' auto 'middle' minmax(0, 1fr) 'foot' auto / minmax(0, 1fr); }
.radnb-Panel.radnb-mod-narrow.radnb-mod-header { grid-template: 'strip' auto 'bar' auto 'middle' minmax(0, 1fr) 'header' minmax(0, 1fr) 'foot' auto / minmax(0, 1fr); }
.radnb-mod-narrow .radnb-Strip { display: flex; overflow: auto hidden; border-right: none; border-bottom: 1px solid var(--jp-border-color2); }
.radnb-mod-narrow .radnb-Strip .radnb-Series { flex-direction: row; flex: none; width: 220px; padding: 6px 8px; border-bottom: none; border-right: 1px solid var(--jp-border-color3); }
.radnb-mod-narrow .radnb-Strip .radnb-Thumb { width: 56px; height: 56px; }
.radnb-mod-narrow .radnb-Strip .radnb-Left { flex: none; width: 200px; border-right: none; }
.radnb-mod-narrow .radnb-Series[aria-current='true'] { box-shadow: inset 0 -3px var(--jp-brand-color1); }
.radnb-mod-narrow .radnb-Header { border-left: none; border-top: 1px solid var(--jp-border-color2); }
.radnb-mod-narrow .radnb-Divider { display: none; }
.radnb-mod-narrow .radnb-Toolbar { gap: 4px 8px; }
.radnb-mod-narrow .radnb-Field select.jp-mod-styled { max-width: 130px; }
.radnb-Panel [hidden], .radnb-Sidebar [hidden] { display: none !important; }

/* toolbar */
.radnb-Bar { grid-area: bar; border-bottom: 1px solid var(--jp-border-color2); }
.radnb-Toolbar { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; padding: 4px 8px; }
.radnb-Group { display: inline-flex; }
.radnb-Group .radnb-Button { margin: 0; border-radius: 0; }
.radnb-Group .radnb-Button + .radnb-Button { margin-left: -1px; }
.radnb-Button.jp-mod-styled {
  height: 24px;
  line-height: 22px;
  padding: 0 9px;
  margin: 0;
  font-size: var(--jp-ui-font-size1);
  color: var(--jp-ui-font-color1);
  background: var(--jp-layout-color1);
  border: 1px solid var(--jp-border-color1);
  border-radius: 2px;
  min-width: 0;
  white-space: nowrap;
  letter-spacing: normal;
}
.radnb-Button.jp-mod-styled:hover:not(:disabled) { background: var(--jp-layout-color2); }
.radnb-Button.jp-mod-styled[aria-pressed='true'] { color: white; background: var(--jp-brand-color1); border-color: var(--jp-brand-color1); font-weight: 600; }
.radnb-Button.jp-mod-styled:disabled { opacity: 0.45; cursor: default; }
.radnb-Field { display: inline-flex; align-items: center; gap: 6px; color: var(--jp-ui-font-color2); white-space: nowrap; }
.radnb-Field select.jp-mod-styled, .radnb-Header input.jp-mod-styled, .radnb-Sidebar input.jp-mod-styled {
  height: 24px;
  padding: 0 6px;
  font-size: var(--jp-ui-font-size1);
  color: var(--jp-ui-font-color1);
  background: var(--jp-layout-color1);
  border: 1px solid var(--jp-border-color1);
  border-radius: 2px;
}
.radnb-Field select.jp-mod-styled { max-width: 200px; appearance: auto; }
.radnb-Field input[type='range'] { width: 130px; }
.radnb-Field output { min-width: 4ch; font-variant-numeric: tabular-nums; }
.radnb-Space { flex: 1; }
.radnb-Panel :is(button, select, input, .radnb-Scroll):focus-visible, .radnb-Sidebar :is(button, input, summary):focus-visible { outline: 2px solid var(--jp-brand-color1); outline-offset: -1px; }

/* segmentations */
.radnb-Chips { display: inline-flex; flex-wrap: wrap; gap: 4px; max-height: 58px; overflow-y: auto; }
.radnb-Chip { display: inline-flex; align-items: center; gap: 6px; height: 24px; padding: 0 9px; border: 1px solid var(--jp-border-color1); border-radius: 12px; background: none; color: var(--jp-ui-font-color1); font: inherit; cursor: pointer; white-space: nowrap; }
.radnb-Chip:hover { background: var(--jp-layout-color2); }
.radnb-Chip[aria-pressed='false'] { color: var(--jp-ui-font-color2); text-decoration: line-through; }
.radnb-Chip[aria-pressed='false'] .radnb-Swatch { opacity: 0.25; }
.radnb-Swatch { display: inline-block; width: 11px; height: 11px; border-radius: 2px; }
.radnb-Masks { display: flex; flex-wrap: wrap; align-items: center; }
.radnb-Masks > .radnb-MaskMenu { padding-right: 0; }
.radnb-Clamp { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }

/* picture */
.radnb-Middle { grid-area: middle; position: relative; background: black; min-height: 0; }
.radnb-Stage { position: absolute; inset: 0; outline: none; container-type: size; }
.radnb-Stage:focus-visible { box-shadow: inset 0 0 0 1px var(--jp-brand-color1); }
.radnb-VolumeView { position: absolute; inset: 0; overflow: hidden; }
.radnb-Grid { position: absolute; inset: 0; display: grid; grid-template: minmax(0, 1fr) / minmax(0, 1fr); gap: 2px; background: #333; }
.radnb-Grid.radnb-mod-three { grid-template: minmax(0, 1fr) minmax(0, 1fr) / minmax(0, 3fr) minmax(0, 2fr); }
.radnb-mod-three > :first-child { grid-row: 1 / 3; }
@container (max-aspect-ratio: 1/1) {
  .radnb-Grid.radnb-mod-three { grid-template: minmax(0, 3fr) minmax(0, 2fr) / minmax(0, 1fr) minmax(0, 1fr); }
  .radnb-mod-three > :first-child { grid-row: auto; grid-column: 1 / 3; }
}
.radnb-SliceView { position: relative; min-width: 0; min-height: 0; overflow: hidden; background: black; }
.radnb-mod-three > .radnb-mod-active::after { content: ''; position: absolute; inset: 0; border: 1px solid #56b4e9; pointer-events: none; }
.radnb-SliceView canvas { position: absolute; inset: 0; display: block; width: 100%; height: 100%; cursor: crosshair; touch-action: none; }
.radnb-VolumeView canvas { display: block; width: 100%; height: 100%; outline: none; }
.radnb-LightBox { position: absolute; inset: 0; display: grid; gap: 2px; background: #222; overflow: hidden; touch-action: none; }
.radnb-Tile { position: relative; min-width: 0; min-height: 0; padding: 0; border: none; background: black; cursor: pointer; overflow: hidden; }
.radnb-Tile canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
.radnb-Tile:hover::after, .radnb-Tile[aria-current='true']::after { content: ''; position: absolute; inset: 0; border: 1px solid #56b4e9; pointer-events: none; }
.radnb-Tile[aria-current='true']::after { border-width: 2px; }
.radnb-TileNumber { position: absolute; left: 5px; top: 3px; color: white; font-size: 11px; text-shadow: 0 0 3px black, 0 0 2px black; font-variant-numeric: tabular-nums; }
.radnb-TileSide { position: absolute; left: 5px; top: 50%; transform: translateY(-50%); color: white; font-size: 12px; font-weight: 600; text-shadow: 0 0 3px black, 0 0 2px black; }
.radnb-TileSide.radnb-mod-right { left: auto; right: 5px; }
.radnb-Marks { position: absolute; right: 10px; bottom: 10px; max-width: min(340px, 60%); max-height: 45%; overflow: auto; padding: 5px 9px; border-radius: 3px; color: #eee; background: rgba(30, 30, 30, 0.85); font-size: 12px; line-height: 1.5; }
.radnb-Marks summary { cursor: pointer; font-weight: 600; }
.radnb-Marks ol { margin: 2px 0; padding: 0; list-style: none; }
.radnb-Marks li { display: grid; grid-template-columns: 1fr auto auto; gap: 0 10px; align-items: baseline; }
.radnb-Marks li > span { color: #bbb; font-size: 11px; }
.radnb-Marks p { display: flex; gap: 12px; margin: 2px 0 0; color: #bbb; }
.radnb-Link { padding: 0; border: none; background: none; color: #f0e442; font: inherit; text-align: left; cursor: pointer; }
.radnb-Link:hover { text-decoration: underline; }
.radnb-Marks p .radnb-Link { color: #8ccbf2; }
.radnb-Link:focus-visible, .radnb-Marks summary:focus-visible { outline: 2px solid #8ccbf2; outline-offset: 1px; }
.radnb-Help { position: absolute; inset: 0; margin: auto; width: min(780px, 94%); height: fit-content; max-height: 92%; overflow: auto; padding: 14px 20px 18px; border-radius: 4px; box-sizing: border-box; outline: none; color: #eee; background: rgba(28, 28, 28, 0.96); box-shadow: 0 2px 18px black; font-size: 13px; }
.radnb-Help header { display: flex; justify-content: space-between; align-items: baseline; }
.radnb-Help header .radnb-Link { color: #ddd; font-size: 20px; }
.radnb-Help h2 { margin: 0 0 6px; font-size: 15px; }
.radnb-Help h3 { margin: 6px 0 3px; font-size: 12px; color: #8ccbf2; }
.radnb-HelpParts { columns: 2 300px; column-gap: 30px; }
.radnb-Help section { break-inside: avoid; }
.radnb-Help dl { display: grid; grid-template-columns: minmax(92px, max-content) 1fr; gap: 2px 12px; margin: 0 0 8px; }
.radnb-Help dd { margin: 0; color: #ccc; }
.radnb-Help kbd { padding: 0 5px; border: 1px solid #777; border-radius: 3px; font: inherit; font-size: 12px; }
.radnb-Notice { position: absolute; left: 50%; bottom: 10px; transform: translateX(-50%); padding: 3px 9px; border-radius: 3px; color: white; background: rgba(40, 40, 40, 0.85); font-size: var(--jp-ui-font-size0); pointer-events: none; }
.radnb-Wait, .radnb-Trouble { position: absolute; inset: 0; display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 6px; padding: 24px; color: #ddd; text-align: center; overflow: auto; }
.radnb-Trouble p, .radnb-Wait p { max-width: 68ch; margin: 0; overflow-wrap: anywhere; }
.radnb-Trouble p:first-child { font-size: var(--jp-ui-font-size2); color: white; }
.radnb-Trouble .radnb-Small { color: #bbb; }
.radnb-Remedy { color: #d0d0d0; }
.radnb-Buttons { display: flex; gap: 8px; margin-top: 10px !important; }

/* status line */
.radnb-Foot { grid-area: foot; display: flex; flex-wrap: wrap; gap: 0 18px; padding: 3px 10px; min-height: 1.5em; border-top: 1px solid var(--jp-border-color2); font-size: var(--jp-ui-font-size0); line-height: 1.6; color: var(--jp-ui-font-color2); }
.radnb-Foot:empty { display: none; }
.radnb-Where { min-width: 30ch; color: var(--jp-ui-font-color1); font-variant-numeric: tabular-nums; }
.radnb-Full { color: var(--jp-ui-font-color1); }
.radnb-Warn { color: var(--jp-warn-color0, #d55e00); font-weight: 600; }
.radnb-Left { padding: 8px 12px; line-height: 1.4; overflow-wrap: anywhere; }
.radnb-Facts .radnb-Fact { white-space: nowrap; }
.radnb-Small { font-size: var(--jp-ui-font-size0); color: var(--jp-ui-font-color2); }
.radnb-Small.radnb-Warn { color: var(--jp-warn-color0, #d55e00); }

/* series */
.radnb-Strip { grid-area: strip; overflow-y: auto; border-right: 1px solid var(--jp-border-color2); background: var(--jp-layout-color1); }
.radnb-Series { display: flex; gap: 8px; align-items: flex-start; width: 100%; padding: 6px; border: none; background: none; color: inherit; font: inherit; text-align: left; cursor: pointer; }
.radnb-Strip .radnb-Series { flex-direction: column; gap: 3px; padding: 8px 12px; border-bottom: 1px solid var(--jp-border-color3); }
.radnb-Series:hover { background: var(--jp-layout-color2); }
.radnb-Series[aria-current='true'] { background: var(--jp-layout-color2); box-shadow: inset 3px 0 var(--jp-brand-color1); }
.radnb-Thumb { flex: none; display: flex; align-items: center; justify-content: center; width: 56px; height: 56px; background: black; color: #999; overflow: hidden; }
.radnb-Strip .radnb-Thumb { width: 100%; height: 104px; }
.radnb-Thumb img { max-width: 100%; max-height: 100%; }
.radnb-Facts { display: flex; flex-direction: column; min-width: 0; max-width: 100%; line-height: 1.35; }
.radnb-Title { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
:is(.radnb-Strip, .radnb-Item) .radnb-Title { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; white-space: normal; overflow-wrap: anywhere; }

/* at most two lines of a verdict */
.radnb-Verdict { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.radnb-Icon svg { display: block; width: 16px; height: auto; }

/* header */
.radnb-Header { grid-area: header; position: relative; display: flex; flex-direction: column; min-width: 0; min-height: 0; border-left: 1px solid var(--jp-border-color2); }
.radnb-Divider { position: absolute; inset: 0 auto 0 -4px; width: 8px; z-index: 2; cursor: col-resize; touch-action: none; }
.radnb-Divider:hover, .radnb-Divider:focus-visible { background: color-mix(in srgb, var(--jp-brand-color1) 45%, transparent); outline: none; }
.radnb-HeaderBar { display: flex; align-items: center; gap: 8px; padding: 4px 8px; }
.radnb-HeaderBar input { flex: 1; min-width: 0; }
.radnb-Which { flex: 1; display: flex; align-items: center; gap: 4px; min-width: 0; font-size: var(--jp-ui-font-size0); }
.radnb-Which span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.radnb-Scroll { flex: 1; overflow: auto; border-top: 1px solid var(--jp-border-color2); }
.radnb-Scroll table { width: 100%; border-collapse: collapse; table-layout: fixed; font-size: var(--jp-ui-font-size0); line-height: 1.45; }
.radnb-Scroll th { position: sticky; top: 0; padding: 3px 4px; text-align: left; font-weight: 600; background: var(--jp-layout-color2); }
.radnb-Scroll th:first-child { width: 84px; }
.radnb-Scroll th:nth-child(2) { width: 38%; }
.radnb-Scroll th:nth-child(3) { width: 26px; }
.radnb-Scroll td { padding: 1px 4px; vertical-align: top; overflow-wrap: anywhere; user-select: text; }
.radnb-Scroll tr:nth-child(even) { background: color-mix(in srgb, var(--jp-layout-color2) 45%, transparent); }
.radnb-Tag { font-family: var(--jp-code-font-family); white-space: nowrap; color: var(--jp-ui-font-color2); }
.radnb-Value { white-space: pre-wrap; }

/* sidebar */
.radnb-Sidebar { display: flex; flex-direction: column; color: var(--jp-ui-font-color1); background: var(--jp-layout-color1); font-size: var(--jp-ui-font-size1); overflow: hidden; }
.radnb-SidebarBar { display: flex; align-items: center; justify-content: space-between; gap: 8px; padding: 8px 10px; border-bottom: 1px solid var(--jp-border-color2); }
.radnb-SidebarBar h2 { margin: 0; font-size: var(--jp-ui-font-size1); font-weight: 600; }
.radnb-Empty { margin: 0; padding: 14px 12px; line-height: 1.5; }
.radnb-Jobs { padding: 6px 10px 8px; border-bottom: 1px solid var(--jp-border-color2); }
.radnb-Jobs h3 { margin: 0 0 4px; font-weight: 600; }
.radnb-Job { display: grid; grid-template: 'name count' auto 'bar stop' auto / minmax(0, 1fr) auto; gap: 2px 8px; align-items: center; }
.radnb-Job progress { width: 100%; }
.radnb-Folders { flex: 1; overflow-y: auto; }
.radnb-Folder { border-bottom: 1px solid var(--jp-border-color2); padding-bottom: 4px; }
.radnb-Folder > :is(.radnb-Small, progress, input) { margin: 0 10px 4px 24px; }
.radnb-Folder > progress { width: calc(100% - 34px); }
.radnb-Folder > input { width: calc(100% - 34px); box-sizing: border-box; }
.radnb-Sidebar summary { display: flex; align-items: center; gap: 6px; padding: 4px 8px; cursor: pointer; }
.radnb-Sidebar summary::before { content: '▸'; width: 10px; color: var(--jp-ui-font-color2); }
.radnb-Sidebar details[open] > summary::before { content: '▾'; }
.radnb-Sidebar summary:hover { background: var(--jp-layout-color2); }
.radnb-Folder > summary .radnb-Title { flex: 1; font-weight: 600; }
.radnb-Patient > summary .radnb-Title { min-width: 0; }
.radnb-Title.radnb-mod-path { white-space: normal; overflow-wrap: anywhere; }
.radnb-Folder > span.radnb-Small { display: block; }
.radnb-Thumb .radnb-Small { color: #aaa; }
.radnb-Tools { display: flex; }
.radnb-Icon { display: inline-flex; align-items: center; justify-content: center; width: 24px; height: 24px; padding: 0; border: none; border-radius: 2px; background: none; color: var(--jp-ui-font-color2); font-size: 15px; cursor: pointer; }
.radnb-Icon:hover { color: var(--jp-ui-font-color1); background: var(--jp-layout-color3); }
.radnb-Patient > summary { padding-left: 18px; }
.radnb-Patient > summary .radnb-Small { margin-left: auto; white-space: nowrap; }
.radnb-List { margin: 0; padding: 0; list-style: none; }
.radnb-Study { padding: 2px 8px 2px 34px; }
.radnb-Item { display: flex; align-items: center; padding-left: 28px; }
.radnb-Item .radnb-Series { flex: 1; min-width: 0; padding: 4px 6px; }
.radnb-Insert { flex: none; margin-right: 6px; }

/* a live view that cannot live, beside its own picture (see stills.ts): an output without any element in it */
.jp-OutputArea-child:has(.jp-RenderedImage, .jp-RenderedHTML, .jp-RenderedHTMLCommon) + .radnb-LiveOutput:not(:has(> .jp-OutputArea-output > *)),
.radnb-LiveOutput:not(:has(> .jp-OutputArea-output > *)):has(+ .jp-OutputArea-child .jp-OutputArea-output) {
  display: none;
}

.jp-DirListing-item.jp-mod-selected .radnb-Stroke { stroke: white; }
`,""]),a.d(e,{},{A:i})},749(r){r.exports=function(r){var e=[];return e.toString=function(){return this.map(function(e){var a="",o=void 0!==e[5];return e[4]&&(a+="@supports (".concat(e[4],") {")),e[2]&&(a+="@media ".concat(e[2]," {")),o&&(a+="@layer".concat(e[5].length>0?" ".concat(e[5]):""," {")),a+=r(e),o&&(a+="}"),e[2]&&(a+="}"),e[4]&&(a+="}"),a}).join("")},e.i=function(r,a,o,n,t){"string"==typeof r&&(r=[[null,r,void 0]]);var i={};if(o)for(var d=0;d<this.length;d++){var l=this[d][0];null!=l&&(i[l]=!0)}for(var p=0;p<r.length;p++){var s=[].concat(r[p]);o&&i[s[0]]||(void 0!==t&&(void 0===s[5]||(s[1]="@layer".concat(s[5].length>0?" ".concat(s[5]):""," {").concat(s[1],"}")),s[5]=t),a&&(s[2]&&(s[1]="@media ".concat(s[2]," {").concat(s[1],"}")),s[2]=a),n&&(s[4]?(s[1]="@supports (".concat(s[4],") {").concat(s[1],"}"),s[4]=n):s[4]="".concat(n)),e.push(s))}},e}},108(r){r.exports=function(r){return r[1]}},557(r){var e=[];function a(r){for(var a=-1,o=0;o<e.length;o++)if(e[o].identifier===r){a=o;break}return a}function o(r,o){for(var n={},t=[],i=0;i<r.length;i++){var d=r[i],l=o.base?d[0]+o.base:d[0],p=n[l]||0,s="".concat(l," ").concat(p);n[l]=p+1;var b=a(s),c={css:d[1],media:d[2],sourceMap:d[3],supports:d[4],layer:d[5]};if(-1!==b)e[b].references++,e[b].updater(c);else{var u=function(r,e){var a=e.domAPI(e);return a.update(r),function(e){e?(e.css!==r.css||e.media!==r.media||e.sourceMap!==r.sourceMap||e.supports!==r.supports||e.layer!==r.layer)&&a.update(r=e):a.remove()}}(c,o);o.byIndex=i,e.splice(i,0,{identifier:s,updater:u,references:1})}t.push(s)}return t}r.exports=function(r,n){var t=o(r=r||[],n=n||{});return function(r){r=r||[];for(var i=0;i<t.length;i++){var d=a(t[i]);e[d].references--}for(var l=o(r,n),p=0;p<t.length;p++){var s=a(t[p]);0===e[s].references&&(e[s].updater(),e.splice(s,1))}t=l}}},338(r){var e={};r.exports=function(r,a){var o=function(r){if(void 0===e[r]){var a=document.querySelector(r);if(window.HTMLIFrameElement&&a instanceof window.HTMLIFrameElement)try{a=a.contentDocument.head}catch(r){a=null}e[r]=a}return e[r]}(r);if(!o)throw Error("Couldn't find a style target. This probably means that the value for the 'insert' parameter is invalid.");o.appendChild(a)}},569(r){r.exports=function(r){var e=document.createElement("style");return r.setAttributes(e,r.attributes),r.insert(e,r.options),e}},173(r,e,a){r.exports=function(r){var e=a.nc;e&&r.setAttribute("nonce",e)}},602(r){r.exports=function(r){if("u"<typeof document)return{update:function(){},remove:function(){}};var e=r.insertStyleElement(r);return{update:function(a){var o,n,t;o="",a.supports&&(o+="@supports (".concat(a.supports,") {")),a.media&&(o+="@media ".concat(a.media," {")),(n=void 0!==a.layer)&&(o+="@layer".concat(a.layer.length>0?" ".concat(a.layer):""," {")),o+=a.css,n&&(o+="}"),a.media&&(o+="}"),a.supports&&(o+="}"),(t=a.sourceMap)&&"u">typeof btoa&&(o+="\n/*# sourceMappingURL=data:application/json;base64,".concat(btoa(unescape(encodeURIComponent(JSON.stringify(t))))," */")),r.styleTagTransform(o,e,r.options)},remove:function(){var r;null===(r=e).parentNode||r.parentNode.removeChild(r)}}}},934(r){r.exports=function(r,e){if(e.styleSheet)e.styleSheet.cssText=r;else{for(;e.firstChild;)e.removeChild(e.firstChild);e.appendChild(document.createTextNode(r))}}}}]);