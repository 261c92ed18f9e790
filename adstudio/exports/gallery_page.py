"""The gallery's frame: markup, colours, the lightbox with its keys and the before/after slider."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<meta name="generator" content="AD Studio">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header><h1 dir="auto">{title}</h1>{introduction}</header>
<main>
<ul class="grid">
{cards}
</ul>
</main>
{boxes}
<footer>Open a picture to see what it was made from. Made with AD Studio.</footer>
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
body:has(dialog[open]) { overflow: hidden; }
h1 { margin: 0; font-size: 28px; line-height: 1.25; font-weight: 600; letter-spacing: -0.01em;
  overflow-wrap: anywhere; }
header { margin-bottom: 32px; }
.intro { max-width: 68ch; margin: 12px 0 0; color: var(--quiet); overflow-wrap: anywhere; }
button { font: inherit; color: inherit; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 288px), 1fr)); gap: 24px;
  margin: 0; padding: 0; list-style: none; }
.card { display: block; width: 100%; padding: 0; border: 1px solid var(--line); border-radius: 12px; overflow: hidden;
  background: var(--card); cursor: zoom-in; text-align: start; }
.card:hover { border-color: var(--quiet); }
.card img { display: block; width: 100%; height: auto; aspect-ratio: 4 / 3; object-fit: cover; background: #808080; }
.card span { display: block; padding: 12px 16px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
dialog { width: 100vw; height: 100vh; height: 100dvh; max-width: none; max-height: none; margin: 0; padding: 0;
  border: 0; background: var(--ground); color: var(--text); }
dialog:focus { outline: none; }
dialog[open] { display: grid; grid-template: 56px minmax(0, 1fr) / minmax(0, 1fr) 336px; }
nav { grid-column: 1 / -1; display: flex; align-items: center; gap: 8px; padding: 0 16px; }
nav span { color: var(--quiet); font-variant-numeric: tabular-nums; }
nav button { width: 40px; height: 40px; border: 0; border-radius: 8px; background: none; cursor: pointer; }
nav button:hover { background: var(--card); }
nav button:disabled { opacity: 0.35; background: none; cursor: default; }
nav [data-close] { margin-inline-start: auto; }
.stage { display: grid; place-items: center; padding: 0 16px 24px; container-type: size; }
.stage figure { position: relative; margin: 0; aspect-ratio: var(--width) / var(--height); --cut: 50%;
  width: min(100cqw, 100cqh * var(--width) / var(--height)); }
.stage img { position: absolute; inset: 0; display: block; width: 100%; height: 100%; object-fit: cover; }
.before { clip-path: inset(0 calc(100% - var(--cut)) 0 0); }
.compare::after { content: ""; position: absolute; top: 0; bottom: 0; left: var(--cut); width: 2px; margin-left: -1px;
  background: #fff; box-shadow: 0 0 6px #0009; pointer-events: none; }
.compare input { position: absolute; z-index: 1; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0;
  cursor: ew-resize; touch-action: pan-y; direction: ltr; }
.compare:has(:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px; }
.tag { position: absolute; top: 12px; padding: 2px 10px; border-radius: 999px; background: #000a; color: #fff;
  font-size: 12px; pointer-events: none; }
.left { left: 12px; } .right { right: 12px; }
aside { overflow: auto; padding: 0 24px 24px 8px; overflow-wrap: anywhere; }
h2 { margin: 0 0 12px; font-size: 18px; line-height: 1.3; font-weight: 600; }
.prompt, .notes { margin: 0 0 12px; white-space: pre-line; }
.notes { color: var(--quiet); }
.inputs { display: flex; flex-wrap: wrap; gap: 12px; margin: 0 0 16px; }
.inputs figure { margin: 0; max-width: 100%; }
.inputs img { display: block; height: 112px; width: auto; max-width: 100%; object-fit: cover; border-radius: 6px; }
figcaption { max-width: 168px; margin-top: 4px; color: var(--quiet); font-size: 13px; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(128px, 1fr)); gap: 8px 16px; margin: 0 0 16px; }
dt { color: var(--quiet); font-size: 12px; } dd { margin: 0; font-variant-numeric: tabular-nums; }
a { color: var(--accent); }
footer { margin-top: 32px; color: var(--quiet); font-size: 13px; }
@media (max-width: 760px) {
  dialog[open] { display: block; overflow: auto; }
  nav { position: sticky; top: 0; z-index: 2; height: 56px; background: var(--ground); }
  .stage { container-type: normal; padding: 0 16px 16px; }
  .stage figure { width: min(100%, 70vh * var(--width) / var(--height)); }
  aside { padding: 0 16px 24px; overflow: visible; }
}
@media print { dialog, footer { display: none; } }
"""

SCRIPT = """
const cards = [...document.querySelectorAll(".card")];
const boxes = cards.map((card) => document.getElementById(card.dataset.opens));
const within = (index) => Math.max(0, Math.min(cards.length - 1, index));
const open = (index) => {
  for (const box of boxes) if (box.open) box.close();
  boxes[index].showModal();
  boxes[index].focus();
};
const close = (index) => { boxes[index].close(); cards[index].focus(); };
const target = (key, index, down) => ({
  ArrowLeft: index - 1, ArrowRight: index + 1, ArrowUp: index - down, ArrowDown: index + down,
  Home: 0, End: cards.length - 1,
})[key];
const columns = () => {
  const top = cards[0].offsetTop;
  const first = cards.findIndex((card) => card.offsetTop > top);
  return first < 0 ? cards.length : first;
};
cards.forEach((card, index) => {
  card.addEventListener("click", () => open(index));
  card.addEventListener("keydown", (event) => {
    const next = target(event.key, index, columns());
    if (next === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    if (next >= 0 && next < cards.length) cards[next].focus();
  });
});
boxes.forEach((box, index) => {
  box.tabIndex = -1;
  box.addEventListener("cancel", (event) => { event.preventDefault(); close(index); });
  box.querySelector("[data-close]").addEventListener("click", () => close(index));
  for (const button of box.querySelectorAll("[data-go]")) {
    const next = index + Number(button.dataset.go);
    button.disabled = next !== within(next);
    button.addEventListener("click", () => open(next));
  }
  box.addEventListener("keydown", (event) => {
    if (event.target.matches("input") || event.ctrlKey || event.altKey || event.metaKey) return;
    const next = target(event.key, index, 0);
    if (next === undefined || event.key === "ArrowUp" || event.key === "ArrowDown") return;
    event.preventDefault();
    if (within(next) === next && next !== index) open(next);
  });
  const slider = box.querySelector("input");
  if (slider) {
    const show = () => slider.parentElement.style.setProperty("--cut", slider.value + "%");
    slider.addEventListener("input", show);
    show();
  }
});
"""
