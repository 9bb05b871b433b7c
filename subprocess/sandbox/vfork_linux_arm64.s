#include "textflag.h"

#define SYS_clone 220
#define SYS_exit_group 94
#define GREATEST_ERRNO $4095

// The clone keeps what it needs in registers that no system call changes: R10
// the step, R11 how many are left, R12 where to tell of its death.

// func vfork(flags uintptr, first *step, steps uintptr, died *death) (pid, errno uintptr)
TEXT ·vfork(SB), NOSPLIT|NOFRAME, $0-48
	MOVD flags+0(FP), R0
	MOVD first+8(FP), R10
	MOVD steps+16(FP), R11
	MOVD died+24(FP), R12
	MOVD ZR, R1 // the same stack
	MOVD ZR, R2
	MOVD ZR, R3
	MOVD ZR, R4
	MOVD $SYS_clone, R8
	SVC
	CBZ  R0, step
	CMN  GREATEST_ERRNO, R0
	BCS  refused
	MOVD R0, pid+32(FP)
	MOVD ZR, errno+40(FP)
	RET

refused:
	NEG  R0, R0
	MOVD ZR, pid+32(FP)
	MOVD R0, errno+40(FP)
	RET

step: // R0 is the result of the one before
	CBZ  R11, end
	MOVD 56(R10), R9
	CBZ  R9, call
	MOVD R0, (R10)(R9<<3)

call:
	MOVD 0(R10), R8
	MOVD 8(R10), R0
	MOVD 16(R10), R1
	MOVD 24(R10), R2
	MOVD 32(R10), R3
	MOVD 40(R10), R4
	MOVD 48(R10), R5
	SVC
	CMN  GREATEST_ERRNO, R0
	BCS  die
	ADD  $64, R10
	SUB  $1, R11
	B    step

die:
	NEG  R0, R0
	MOVD R11, 0(R12)
	MOVD R0, 8(R12)

end:
	MOVD $1, R0
	MOVD $SYS_exit_group, R8
	SVC
	B    end
