/* What the library owns, as external pointers whose class says what they are. They are freed by the collector, or
 * earlier by close(). The collector knows nothing of the memory behind them: it is called when that has doubled, and
 * after many arrays. */
#include <time.h>

#include "mxr_r.h"

static const char *const CLASSES[NUM_CLASSES] = {"MXNDArray", "MXSymbol", "MXExecutorHandle", "MXCachedOpHandle",
                                                 "MXPlan", "MXOptimizerHandle", "MXUpdaterHandle",
                                                 "MXLRScheduler", "MXInitializerHandle", "MXModelFile",
                                                 "MXMetricHandle", "MXDataIterHandle", "MXKVStoreHandle",
                                                 "MXCallbackHandle", "MXModuleHandle"};

/* Below this the collector is not called for the sake of arrays. */
static const uint64_t LEAST = 64u << 20;
/* Asking for the memory in use costs something: it is done once in so many arrays. */
static const unsigned EACH = 16;
/* What has a finalizer outlives a collection, and its cells are given back out of order, so that all that R allocates
 * misses the cache. Only full collections put them in order: after so many arrays one is worth its time. */
static const unsigned MANY = 60000;
/* At least so many times as long as such a collection takes lies between two of them: it may find much else to do. */
static const double REST = 9;

static SEXP tags[NUM_CLASSES], class_attributes[NUM_CLASSES];
static uint64_t limit;
static unsigned wrapped, wrapped_before;
static double rested;
/* Arrays made in the open scopes, newest first, each scope after a NULL; R_NilValue outside of scopes. */
static SEXP scopes;
static int depth;

static void free_handle(class_t class, void *handle) {
  switch (class) {
  case ARRAY: abi.array_free(handle); break;
  case SYMBOL: abi.symbol_free(handle); break;
  case EXECUTOR: abi.executor_free(handle); break;
  case CACHED_OP: abi.cached_op_free(handle); break;
  case PLAN: abi.plan_free(handle); break;
  case OPTIMIZER: abi.optimizer_free(handle); break;
  case UPDATER: abi.updater_free(handle); break;
  case LR_SCHEDULER: abi.lr_scheduler_free(handle); break;
  case INITIALIZER: abi.initializer_free(handle); break;
  case MODEL: abi.model_free(handle); break;
  case METRIC: abi.metric_free(handle); break;
  case DATA_ITER: abi.data_iter_free(handle); break;
  case KVSTORE: abi.kvstore_free(handle); break;
  case CALLBACK: abi.callback_free(handle); break;
  case MODULE: abi.module_free(handle); break;
  case NUM_CLASSES: break;
  }
}

static int class_of(SEXP object) {
  if (TYPEOF(object) != EXTPTRSXP) return NUM_CLASSES;
  const SEXP tag = R_ExternalPtrTag(object);
  int class = 0;
  while (class < NUM_CLASSES && tags[class] != tag) class++;
  return class;
}

static void close_handle(SEXP object) {
  const int class = class_of(object);
  void *handle = R_ExternalPtrAddr(object);
  if (class == NUM_CLASSES || !handle) return;
  R_ClearExternalPtr(object);
  free_handle((class_t)class, handle);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static uint64_t memory_in_use(void) {
  mxr_memory_t memory = {sizeof memory, 0, 0, 0};
  mxr_error_t *error = abi.memory_stats(&memory);
  if (error) abi.error_free(error);
  return memory.in_use;
}

/* Calls the collector if arrays hold twice as much as after its last run, or if many were made since. */
static void feel_pressure(void) {
  if (++wrapped % EACH != 0) return;
  abi.events_poll();
  const int much = memory_in_use() > (limit ? limit : LEAST);
  if (!much && (wrapped - wrapped_before < MANY || seconds() < rested)) return;
  const double start = seconds();
  R_gc();
  const double end = seconds();
  rested = end + REST * (end - start);
  wrapped_before = wrapped;
  limit = memory_in_use() * 2;
  if (limit < LEAST) limit = LEAST;
}

static void prepare(class_t class) {
  tags[class] = Rf_install(CLASSES[class]);
  SEXP attribute = Rf_mkString(CLASSES[class]);
  R_PreserveObject(attribute);
  MARK_NOT_MUTABLE(attribute);
  class_attributes[class] = attribute;
}

SEXP wrap(class_t class, void *handle) {
  if (!tags[class]) prepare(class);
  SEXP object = PROTECT(R_MakeExternalPtr(handle, tags[class], R_NilValue));
  R_RegisterCFinalizerEx(object, close_handle, FALSE);
  Rf_setAttrib(object, R_ClassSymbol, class_attributes[class]);
  if (class == ARRAY) {
    if (depth > 0) SETCDR(scopes, Rf_cons(object, CDR(scopes)));
    feel_pressure();
  }
  UNPROTECT(1);
  return object;
}

int is_a(class_t class, SEXP object) {
  return TYPEOF(object) == EXTPTRSXP && tags[class] && R_ExternalPtrTag(object) == tags[class];
}

void *unwrap(class_t class, SEXP object, const char *argument) {
  if (!is_a(class, object)) {
    SEXP names = PROTECT(Rf_getAttrib(object, R_ClassSymbol));
    const char *got = TYPEOF(names) == STRSXP && LENGTH(names) > 0 ? CHAR(STRING_ELT(names, 0))
                                                                     : Rf_type2char(TYPEOF(object));
    refuse(MXR_ERROR_INVALID_TYPE, NULL, argument, "expected an %s, got %s", CLASSES[class], got);
  }
  void *handle = R_ExternalPtrAddr(object);
  if (!handle) refuse(MXR_ERROR_CLOSED, NULL, argument, "this %s is closed", CLASSES[class]);
  return handle;
}

/* Frees what an object holds; again is no error. */
SEXP C_close(SEXP object) {
  close_handle(object);
  return R_NilValue;
}

SEXP C_is_closed(SEXP object) {
  return Rf_ScalarLogical(TYPEOF(object) == EXTPTRSXP && !R_ExternalPtrAddr(object));
}

SEXP C_same(SEXP a, SEXP b) {
  return Rf_ScalarLogical(TYPEOF(a) == EXTPTRSXP && TYPEOF(b) == EXTPTRSXP &&
                          R_ExternalPtrAddr(a) == R_ExternalPtrAddr(b));
}

SEXP C_scope_begin(void) {
  if (!scopes) R_PreserveObject(scopes = Rf_cons(R_NilValue, R_NilValue));
  SETCDR(scopes, Rf_cons(R_NilValue, CDR(scopes)));
  depth++;
  return R_NilValue;
}

static int holds(SEXP value, SEXP object) {
  if (value == object) return 1;
  if (TYPEOF(value) == EXTPTRSXP) return R_ExternalPtrAddr(value) == R_ExternalPtrAddr(object);
  if (TYPEOF(value) != VECSXP) return 0;
  for (R_xlen_t i = 0; i < XLENGTH(value); i++) {
    if (holds(VECTOR_ELT(value, i), object)) return 1;
  }
  return 0;
}

/* Closes the arrays that were made since the scope began, but for those in `keep`, which go to the scope around. */
SEXP C_scope_end(SEXP keep) {
  SEXP kept = PROTECT(Rf_cons(R_NilValue, R_NilValue));
  for (SEXP cell = CDR(scopes); cell != R_NilValue; cell = CDR(cell)) {
    SETCDR(scopes, CDR(cell));
    if (CAR(cell) == R_NilValue) break;
    if (holds(keep, CAR(cell))) SETCDR(kept, Rf_cons(CAR(cell), CDR(kept)));
    else close_handle(CAR(cell));
  }
  if (--depth > 0) {
    for (SEXP cell = CDR(kept); cell != R_NilValue; cell = CDR(cell)) {
      SETCDR(scopes, Rf_cons(CAR(cell), CDR(scopes)));
    }
  }
  UNPROTECT(1);
  return R_NilValue;
}
