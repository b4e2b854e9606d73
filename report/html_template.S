	.section .rodata, "a", %progbits
	.global html_template, html_template_end
html_template:
	.incbin "report/web/template.html"
html_template_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
