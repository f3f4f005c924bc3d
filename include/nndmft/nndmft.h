/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Everything that nndmft offers. */
#ifndef NNDMFT_NNDMFT_H
#define NNDMFT_NNDMFT_H

#include "nndmft/aligned.h"
#include "nndmft/batch.h"
#include "nndmft/bulk.h"
#include "nndmft/case.h"
#include "nndmft/chain.h"
#include "nndmft/compare.h"
#include "nndmft/context.h"
#include "nndmft/deep_linear.h"
#include "nndmft/dressed.h"
#include "nndmft/find.h"
#include "nndmft/flatness.h"
#include "nndmft/frame.h"
#include "nndmft/io.h"
#include "nndmft/lanczos.h"
#include "nndmft/march.h"
#include "nndmft/model.h"
#include "nndmft/ode.h"
#include "nndmft/outliers.h"
#include "nndmft/pencil.h"
#include "nndmft/quadratic.h"
#include "nndmft/rng.h"
#include "nndmft/scheme.h"
#include "nndmft/simulate.h"
#include "nndmft/statistics.h"
#include "nndmft/status.h"
#include "nndmft/store.h"
#include "nndmft/table.h"
#include "nndmft/theory.h"
#include "nndmft/timegrid.h"
#include "nndmft/value.h"

#endif
