#include "textflag.h"

#define SYS_clone 56
#define SYS_exit_group 231
#define GREATEST_ERROR $0xfffffffffffff001

// The clone keeps what it needs in registers that no system call changes: BX the
// step, R12 how many are left, R13 where to tell of its death.

// func vfork(flags uintptr, first *step, steps uintptr, died *death) (pid, errno uintptr)
TEXT ·vfork(SB), NOSPLIT|NOFRAME, $0-48
	MOVQ flags+0(FP), DI
	MOVQ first+8(FP), BX
	MOVQ steps+16(FP), R12
	MOVQ died+24(FP), R13
	XORL SI, SI // the same stack
	XORL DX, DX
	XORL R10, R10
	XORL R8, R8
	MOVL $SYS_clone, AX
	SYSCALL
	TESTQ AX, AX
	JZ   step
	CMPQ AX, GREATEST_ERROR
	JCC  refused
	MOVQ AX, pid+32(FP)
	MOVQ $0, errno+40(FP)
	RET

refused:
	NEGQ AX
	MOVQ $0, pid+32(FP)
	MOVQ AX, errno+40(FP)
	RET

step: // AX is the result of the one before
	TESTQ R12, R12
	JZ   end
	MOVQ 56(BX), CX
	TESTQ CX, CX
	JZ   call
	MOVQ AX, (BX)(CX*8)

call:
	MOVQ 8(BX), DI
	MOVQ 16(BX), SI
	MOVQ 24(BX), DX
	MOVQ 32(BX), R10
	MOVQ 40(BX), R8
	MOVQ 48(BX), R9
	MOVQ 0(BX), AX
	SYSCALL
	CMPQ AX, GREATEST_ERROR
	JCC  die
	ADDQ $64, BX
	DECQ R12
	JMP  step

die:
	NEGQ AX
	MOVQ R12, 0(R13)
	MOVQ AX, 8(R13)

end:
	MOVL $1, DI
	MOVL $SYS_exit_group, AX
	SYSCALL
	JMP  end
