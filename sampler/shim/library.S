	.section .rodata, "a", %progbits
	.global shim_library, shim_library_end
shim_library:
	.incbin SHIM_LIBRARY
shim_library_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
