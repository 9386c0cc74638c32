// The GNU C library's malloc.h, which Swift's module of it leaves out.
#include <malloc.h>
