#include <stdio.h>

int main(void)
{
	puts("lagprof " LAGPROF_VERSION);
	return 0;
}
