/* SPDX-License-Identifier: MIT */
/* The step itself is public (zf/train.h); here is what it needs of the inside. */
#ifndef ZF_TRAIN_STEP_H
#define ZF_TRAIN_STEP_H

#include "net/net.h"
#include "zf/train.h"

#endif
