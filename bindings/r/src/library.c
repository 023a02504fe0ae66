/* Finding libmxr: the one that the user names, one that the process already has, or the package's own. */
#define _GNU_SOURCE /* dladdr */
#include "library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mxr_r.h"

/* The name that libmxr records for itself. */
static const char SONAME[] = "libmxr.so.0";

abi_t abi;
static char file[4096];

const char *library_file(void) { return file; }

/* The path of a libmxr that the process has mapped, in `path`; 0 if there is none. */
static int mapped(char *path, size_t room) {
  FILE *maps = fopen("/proc/self/maps", "r");
  if (!maps) return 0;
  char line[5000];
  int found = 0;
  while (!found && fgets(line, sizeof line, maps)) {
    line[strcspn(line, "\n")] = 0;
    const char *whole = strchr(line, '/'), *name = whole ? strrchr(line, '/') : NULL;
    if (!name || strncmp(name + 1, "libmxr.so", 9) != 0 || strlen(whole) >= room) continue;
    strcpy(path, whole);
    found = 1;
  }
  fclose(maps);
  return found;
}

/* A libmxr that another part of the process uses, such as another language. */
static void *loaded(void) {
  void *library = dlopen(SONAME, RTLD_NOW | RTLD_NOLOAD);
  char path[4096];
  if (!library && mapped(path, sizeof path)) library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
  return library;
}

static void *find(const char *bundled) {
  const char *named = getenv("MXR_LIBRARY");
  if (named && *named) {
    void *library = dlopen(named, RTLD_NOW | RTLD_LOCAL);
    if (!library) Rf_error("MXR_LIBRARY names %s, which does not load: %s", named, dlerror());
    return library;
  }
  void *library = loaded();
  if (!library) library = dlopen(bundled, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    Rf_error("mxr found no libmxr. It looked at the environment variable MXR_LIBRARY (not set), for %s in this "
             "process (not loaded), and at %s (%s)",
             SONAME, bundled, dlerror());
  }
  return library;
}

/* Functions and objects are different pointers in C; POSIX says that they are the same. */
static void *function(void *library, const char *name, int *missing) {
  void *found = dlsym(library, name);
  if (!found && !*missing) {
    *missing = 1;
    snprintf(file + strlen(file), sizeof file - strlen(file), " is older than this mxr: it lacks the function %s",
             name);
  }
  return found;
}

SEXP C_load(SEXP bundled) {
  void *library = find(CHAR(STRING_ELT(bundled, 0)));
  uint32_t (*version)(void) = NULL;
  *(void **)&version = dlsym(library, "mxr_abi_version");
  Dl_info info;
  const int known = version && dladdr(*(void **)&version, &info) && info.dli_fname;
  snprintf(file, sizeof file, "%s", known ? info.dli_fname : "what was found");
  if (!version) Rf_error("%s is no libmxr", file);
  if (version() != MXR_ABI_VERSION) {
    Rf_error("%s has ABI version %u, and this mxr needs %u", file, (unsigned)version(), (unsigned)MXR_ABI_VERSION);
  }
  int missing = 0;
#define MXR_FIND(name) *(void **)&abi.name = function(library, "mxr_" #name, &missing);
  MXR_FUNCTIONS(MXR_FIND)
  if (missing) Rf_error("%s", file);
  return Rf_mkString(file);
}
