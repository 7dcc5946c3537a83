// Gives memory back to the system that the process no longer needs: freed tensors that the allocator keeps, and the pages of TensorFlow's
// 850 MB of libraries that its start-up read once (registrations, relocations). Those pages are clean copies of the file and come back by
// themselves if they are needed again.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>

#if defined(__linux__)
#include <malloc.h>
#include <sys/mman.h>
#endif

namespace lacuna {

// Tensors of a megabyte and more get pages of their own, which go back to the system when they are freed; the allocator would otherwise
// raise that limit to 32 MB by itself and keep them between smaller ones.
inline void returnLargeTensors() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 1 << 18);
  mallopt(M_TRIM_THRESHOLD, 2 << 20);
#endif
}

inline void releaseUnusedPages() {
#if defined(__linux__)
  malloc_trim(0);
  std::FILE* maps = std::fopen("/proc/self/smaps", "r");
  if (maps == nullptr) return;
  char line[1024];
  uintptr_t from = 0, to = 0;
  bool isLibraryFile = false;
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    unsigned long start, end, changed;
    char permissions[8];
    if (std::sscanf(line, "%lx-%lx %7s", &start, &end, permissions) == 3) {
      from = start;
      to = end;
      // Private and never writable: code and constants.
      isLibraryFile = permissions[1] == '-' && permissions[3] == 'p' && std::strchr(line, '/') != nullptr;
    } else if (isLibraryFile && std::sscanf(line, "Anonymous: %lu kB", &changed) == 1) {
      // Relocated pages differ from the file and would be lost.
      if (changed == 0) madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
      isLibraryFile = false;
    }
  }
  std::fclose(maps);
#endif
}

}  // namespace lacuna
