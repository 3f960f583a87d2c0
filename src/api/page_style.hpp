// How the page of the API looks.
#pragma once

#include <string_view>

namespace rltune::api {

inline constexpr std::string_view kPageStyle = R"css(
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#17202b;--soft:#5b6878;--line:#dde2e8;--code:#eef1f4;--accent:#0b6e6e;--get:#0b6e6e;--put:#9a6200;--post:#1f5fa8;--delete:#b3261e}
@media(prefers-color-scheme:dark){:root{--bg:#11161c;--card:#1a2129;--ink:#e6ebf0;--soft:#98a5b3;--line:#2c3641;--code:#232c36;--accent:#4fc3c3;--get:#4fc3c3;--put:#f0b860;--post:#7db7f5;--delete:#ff8a80}}
*{box-sizing:border-box}
html{scroll-padding-top:12px}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.frame{display:grid;grid-template-columns:270px minmax(0,1fr);max-width:1280px;margin:0 auto}
nav{position:sticky;top:0;align-self:start;max-height:100vh;overflow-y:auto;padding:24px 12px 24px 24px;font-size:14px}
nav h2{font-size:12px;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);margin:18px 0 4px}
nav a{display:block;color:var(--ink);text-decoration:none;padding:2px 8px;border-radius:6px;overflow-wrap:anywhere}
nav a:hover{background:var(--code)}
main{padding:24px 24px 80px}
h1{font-size:28px;line-height:1.2;margin:0 0 4px}
h2{font-size:20px;margin:40px 0 12px}
h3{font-size:16px;margin:0}
h4{font-size:12px;letter-spacing:.05em;text-transform:uppercase;color:var(--soft);margin:16px 0 4px}
p{margin:6px 0;max-width:80ch}
a{color:var(--accent)}
.soft{color:var(--soft)}
article{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px 18px;margin:0 0 14px}
article:target{border-color:var(--accent)}
.line{display:flex;gap:10px;align-items:baseline;flex-wrap:wrap;margin:0 0 6px}
.method{font:600 12px/1 ui-monospace,Menlo,Consolas,monospace;padding:5px 8px;border-radius:6px;border:1px solid currentColor}
.GET{color:var(--get)}.PUT,.PATCH{color:var(--put)}.POST{color:var(--post)}.DELETE{color:var(--delete)}
code,pre{font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;background:var(--code);border-radius:5px}
code{padding:1px 5px;overflow-wrap:anywhere}
pre{padding:10px 12px;overflow-x:auto;margin:6px 0}
table{border-collapse:collapse;width:100%;font-size:14px}
td,th{text-align:left;vertical-align:top;padding:5px 12px 5px 0;border-top:1px solid var(--line)}
th{color:var(--soft);font-weight:600;font-size:13px;border-top:0}
td:first-child{white-space:nowrap}
@media(max-width:800px){.frame{display:block}nav{position:static;max-height:none;padding:16px}main{padding:16px}}
@media print{nav{display:none}.frame{display:block}article{break-inside:avoid}}
)css";

}  // namespace rltune::api
