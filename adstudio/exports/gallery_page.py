"""The gallery's frame: markup, colours and the before/after slider."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<title>{heading}</title>
<style>{style}</style>
</head>
<body>
<h1>{heading}</h1>
<main>
{cards}
</main>
<footer>Drag across a picture to see what it was made from. Made with AD Studio.</footer>
<script>{script}</script>
</body>
</html>
"""

STYLE = """
:root { --ground: #1d1d1e; --card: #272829; --line: #3a3b3d; --text: #ececec; --quiet: #a9abae; --accent: #e0a458; }
@media (prefers-color-scheme: light) {
  :root { --ground: #e9e9ea; --card: #f7f7f8; --line: #cfd0d2; --text: #1f2022; --quiet: #5a5c60; --accent: #8a5208; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 40px clamp(16px, 4vw, 64px); background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { margin: 0 0 32px; font-size: 26px; font-weight: 600; letter-spacing: -0.01em; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)); gap: 24px;
  align-items: start; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
.card header { display: flex; justify-content: space-between; align-items: baseline; padding: 16px 20px; }
h2 { margin: 0; font-size: 17px; font-weight: 600; }
.time { margin: 0; color: var(--quiet); font-variant-numeric: tabular-nums; }
.problem { padding: 0 20px 16px; color: var(--quiet); }
.view { position: relative; margin: 0; background: #808080; aspect-ratio: var(--ratio); --cut: 0%; }
.view + .view { margin-top: 2px; }
.view > img { position: absolute; inset: 0; width: 100%; height: 100%; display: block; object-fit: cover; }
.view .before { clip-path: inset(0 calc(100% - var(--cut)) 0 0); }
.compare::after { content: ""; position: absolute; top: 0; bottom: 0; left: var(--cut); width: 2px; margin-left: -1px;
  background: #fff; box-shadow: 0 0 6px #0009; pointer-events: none; }
.compare input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: ew-resize;
  touch-action: pan-y; }
.compare:focus-within { outline: 3px solid var(--accent); outline-offset: -3px; }
.tag, .full { position: absolute; padding: 2px 10px; border-radius: 999px; background: #000a; color: #fff;
  font-size: 12px; }
.tag { top: 12px; pointer-events: none; opacity: 0; transition: opacity 0.15s; }
.compare:hover .tag, .compare:focus-within .tag { opacity: 1; }
.left { left: 12px; } .right { right: 12px; }
.full { right: 12px; bottom: 12px; text-decoration: none; }
.full:hover, .full:focus-visible { background: #000; }
.inputs { display: flex; flex-wrap: wrap; gap: 12px; padding: 16px 20px 8px; }
.inputs a { color: var(--quiet); text-decoration: none; font-size: 13px; }
.inputs img { display: block; height: 96px; width: auto; max-width: 100%; border-radius: 6px; margin-bottom: 4px; }
.inputs a:hover, .inputs a:focus-visible { color: var(--accent); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(160px, 1fr)); gap: 8px 16px; margin: 0;
  padding: 8px 20px 20px; }
dt { color: var(--quiet); font-size: 12px; } dd { margin: 0; font-variant-numeric: tabular-nums; }
footer { margin-top: 32px; color: var(--quiet); font-size: 13px; }
"""

SCRIPT = """
for (const view of document.querySelectorAll(".compare")) {
  const slider = view.querySelector("input");
  const show = () => view.style.setProperty("--cut", slider.value + "%");
  slider.addEventListener("input", show);
  slider.value = 50;
  show();
}
"""
