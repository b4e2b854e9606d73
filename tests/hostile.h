#ifndef LAGPROF_TESTS_HOSTILE_H
#define LAGPROF_TESTS_HOSTILE_H

/* What a target may call its functions, files and requests, in the hope that a report obeys. */
#define PWN "window.executed=1"

static const char *const hostile[] = {
	"<script>" PWN "</script>",
	"</script><script>" PWN "</script>",
	"</SCRIPT ><script src=data:text/javascript," PWN "></script>",
	"<img src=x onerror=" PWN ">",
	"\"><img src=x onerror=\"" PWN "\">",
	"'><img src=x onerror='" PWN "'>",
	"<svg onload=" PWN ">",
	"<svg><script>" PWN "</script></svg>",
	"<svg><animate onbegin=" PWN " attributeName=x dur=1s>",
	"<math><mtext><img src=x onerror=" PWN "></mtext></math>",
	"<iframe srcdoc='<script>parent." PWN "</script>'></iframe>",
	"<iframe src=javascript:parent." PWN "></iframe>",
	"<object data=javascript:" PWN "></object>",
	"<embed src=javascript:" PWN ">",
	"<a href=javascript:" PWN ">click</a>",
	"<base href=http://127.0.0.1:9/>",
	"<meta http-equiv=refresh content=0;url=http://127.0.0.1:9/>",
	"<meta http-equiv=Content-Security-Policy content=script-src%20*>",
	"<link rel=stylesheet href=http://127.0.0.1:9/x.css>",
	"<link rel=prefetch href=http://127.0.0.1:9/>",
	"<style>body{display:none}@import 'http://127.0.0.1:9/'</style>",
	"</style><style>*{display:none}</style>",
	"<img src=http://127.0.0.1:9/x.png>",
	"<form action=http://127.0.0.1:9/><button>send</button></form>",
	"<input autofocus onfocus=" PWN ">",
	"<details open ontoggle=" PWN ">",
	"<body onload=" PWN ">",
	"<video><source onerror=" PWN "></video>",
	"<noscript><p title=\"</noscript><img src=x onerror=" PWN ">\">",
	"</title><script>" PWN "</script>",
	"</textarea></template></details></summary></code><b>",
	"<template><b>shadow</b></template>",
	"<div style=position:fixed;inset:0;background:red>",
	"<!--",
	"-->",
	"--!><script>" PWN "</script>",
	"<![CDATA[<script>" PWN "</script>]]>",
	"<!--lagprof:data-->",
	"<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY y SYSTEM \"file:///etc/passwd\">]>&y;",
	"&lt;img src=x onerror=" PWN "&gt;",
	"&#60;script&#62;" PWN "&#60;/script&#62;",
	"javascript:" PWN,
	"${window.executed=1}`${" PWN "}",
	"{{constructor.constructor('" PWN "')()}}",
	"\\u003cscript\\u003e" PWN "\\u003c/script\\u003e",
	"+ADw-script+AD4-" PWN "+ADw-/script+AD4-",
	"\xc0\xbcscript\xc0\xbe" PWN "\xc0\xbc/script\xc0\xbe",
	"\xef\xbc\x9cscript\xef\xbc\x9e" PWN,        /* full-width brackets */
	"\xe2\x80\xaegnirts_live\xe2\x80\xac",       /* reads backwards */
	"log\xe2\x80\x8bin\xe2\x81\xa6\xef\xbb\xbf", /* shows less than it has */
	"a\xed\xa0\x80z\xff\xfe",                    /* a lone surrogate, no UTF-8 */
	"\x1b]0;title\x07\x1b[2J\x1b[31mred",
	"line\nfeed\r\n\ttab\x0b\x0c\x08\x7f",
	"\xe2\x80\xa8\xe2\x80\xa9\xc2\x85",
	"__proto__",
	"constructor",
	"toString",
	"%s%n%x%d",
	"; rm -rf / #$(touch executed)`touch executed`",
	"frame;with:semicolons and spaces 12345",
	"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80 Z\xcc\x80\xcc\x81\xcc\x82\xcc\x83\xcc\x84",
};
enum { HOSTILE = sizeof(hostile) / sizeof(hostile[0]) };

#endif
