/* Objects of R that the library holds. It may let go of them on any thread, but R's memory belongs to R's thread: what
 * another thread lets go is put on a list, which that thread clears later. */
#include <pthread.h>
#include <stdlib.h>

#include "mxr_r.h"

static pthread_t main_thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* What other threads let go of. */
typedef struct dropped {
  SEXP cell;
  struct dropped *next;
} dropped_t;
static dropped_t *dropped;

void keep_init(void) { main_thread = pthread_self(); }

static void release_dropped(void) {
  pthread_mutex_lock(&lock);
  dropped_t *list = dropped;
  dropped = NULL;
  pthread_mutex_unlock(&lock);
  while (list) {
    dropped_t *next = list->next;
    R_ReleaseObject(list->cell);
    free(list);
    list = next;
  }
}

SEXP keep_alive(SEXP object) {
  release_dropped();
  SEXP cell = Rf_cons(object, R_NilValue);
  R_PreserveObject(cell);
  return cell;
}

void let_go(void *payload) {
  if (pthread_equal(pthread_self(), main_thread)) {
    R_ReleaseObject((SEXP)payload);
    return;
  }
  dropped_t *entry = malloc(sizeof *entry);
  if (!entry) return; /* The object stays, which harms nothing. */
  pthread_mutex_lock(&lock);
  entry->cell = (SEXP)payload;
  entry->next = dropped;
  dropped = entry;
  pthread_mutex_unlock(&lock);
}
