/* SPDX-License-Identifier: MIT */
/* version.h: the version of everything in this repository, semantic: new cases and features are
 * minor, changed meaning of a verdict is major. */
#ifndef DNA_SPEC_VERSION_H
#define DNA_SPEC_VERSION_H

#define DNA_VERSION "0.1.0"

#endif
