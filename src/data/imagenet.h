/* SPDX-License-Identifier: MIT */
/* ImageNet's classes, by the numbers that its folders are named by ("n01440764"). */
#ifndef ZF_DATA_IMAGENET_H
#define ZF_DATA_IMAGENET_H

#include "zf/data.h"

#define ZF_IMAGENET_CLASSES 1000
#define ZF_IMAGENET_NAME 32 /* bytes of the longest name, with its NUL */

/* The class with this number, 0 .. 999; -1 for what is no such class. */
int64_t zf_imagenet_index(const char *wnid);

/* False for an index out of range. */
bool zf_imagenet_name(int64_t index, char name[ZF_IMAGENET_NAME]);

/* The output of a net of 1000 classes, or of 1001 with a background first, that is this class; -1
   for what is no such class, for other nets, and where the net's label is another name. */
int64_t zf_imagenet_output(const struct zf_net *net, const char *wnid);

#endif
