/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The stable interface of nndmft. The solvers, which may change, are in nndmft/solvers/. */
#ifndef NNDMFT_NNDMFT_H
#define NNDMFT_NNDMFT_H

#include "nndmft/activation.h"
#include "nndmft/api.h"
#include "nndmft/batch.h"
#include "nndmft/case.h"
#include "nndmft/compare.h"
#include "nndmft/context.h"
#include "nndmft/coordinates.h"
#include "nndmft/dataset.h"
#include "nndmft/dense.h"
#include "nndmft/drawing.h"
#include "nndmft/find.h"
#include "nndmft/frame.h"
#include "nndmft/io.h"
#include "nndmft/matrices.h"
#include "nndmft/model.h"
#include "nndmft/models.h"
#include "nndmft/number.h"
#include "nndmft/plan.h"
#include "nndmft/rates.h"
#include "nndmft/rng.h"
#include "nndmft/similarity.h"
#include "nndmft/simulate.h"
#include "nndmft/status.h"
#include "nndmft/store.h"
#include "nndmft/table.h"
#include "nndmft/theory.h"
#include "nndmft/timegrid.h"
#include "nndmft/transfer.h"
#include "nndmft/value.h"
#include "nndmft/widths.h"

#endif
