/* txwatch/txwatch.h: everything a plugin can use, in one include. */
#ifndef TXWATCH_TXWATCH_H
#define TXWATCH_TXWATCH_H

#include "txwatch/abi.h"
#include "txwatch/event.h"
#include "txwatch/exporter.h"
#include "txwatch/filter.h"
#include "txwatch/notifier.h"
#include "txwatch/poller.h"
#include "txwatch/setup.h"
#include "txwatch/store.h"

#include "txwatch/ext/clock.h"
#include "txwatch/ext/http.h"
#include "txwatch/ext/log.h"
#include "txwatch/ext/metrics.h"
#include "txwatch/ext/random.h"
#include "txwatch/ext/state.h"

#endif
