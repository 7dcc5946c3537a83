// Keeps the process small while TensorFlow loads. Its libraries hold 850 MB of code and constants, of which the loader and the registration
// of operations touch 250 MB once, mostly as neighbours of a page that was needed. Those pages are clean copies of the file: dropped, they
// come back by themselves. A Node addon of its own, because the kernels' addon needs TensorFlow loaded before it.
#include <node_api.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <thread>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace {

// Resident pages of files, Node's own 45 MB among them, from which on some are dropped.
constexpr int64_t kFileBytes = 112 << 20;

std::atomic<bool> isTrimming{false};
std::thread trimmer;

// Drops the pages of code, and of the headers in front of it, of TensorFlow's libraries. Other read-only parts are left alone: the loader
// writes addresses into some before it protects them, and those would be lost.
void dropLibraryPages() {
#if defined(__linux__)
  std::FILE* maps = std::fopen("/proc/self/maps", "r");
  if (maps == nullptr) return;
  char line[1024];
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    unsigned long start, end, offset;
    char permissions[8];
    if (std::strstr(line, "/libtensorflow") == nullptr || std::sscanf(line, "%lx-%lx %7s %lx", &start, &end, permissions, &offset) != 4) continue;
    const bool isCode = std::strcmp(permissions, "r-xp") == 0, isHeader = std::strcmp(permissions, "r--p") == 0 && offset == 0;
    if (isCode || isHeader) madvise(reinterpret_cast<void*>(start), end - start, MADV_DONTNEED);
  }
  std::fclose(maps);
#endif
}

// Resident pages of files in bytes (the third number of /proc/self/statm, in pages).
int64_t fileBytes() {
#if defined(__linux__)
  std::FILE* counts = std::fopen("/proc/self/statm", "r");
  if (counts == nullptr) return 0;
  long long total = 0, resident = 0, ofFiles = 0;
  const bool isRead = std::fscanf(counts, "%lld %lld %lld", &total, &resident, &ofFiles) == 3;
  std::fclose(counts);
  return isRead ? ofFiles * sysconf(_SC_PAGESIZE) : 0;
#else
  return 0;
#endif
}

napi_value undefinedOf(napi_env env) {
  napi_value undefined;
  napi_get_undefined(env, &undefined);
  return undefined;
}

napi_value startTrimming(napi_env env, napi_callback_info) {
  if (!isTrimming.exchange(true)) {
    trimmer = std::thread([] {
      // Dropping costs reading again what is still in use, so it waits until there is enough of it.
      while (isTrimming) {
        if (fileBytes() > kFileBytes) dropLibraryPages();
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
    });
  }
  return undefinedOf(env);
}

napi_value stopTrimming(napi_env env, napi_callback_info) {
  if (isTrimming.exchange(false)) trimmer.join();
  return undefinedOf(env);
}

napi_value initialise(napi_env env, napi_value exports) {
  auto add = [&](const char* name, napi_callback call) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, call, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  };
  add("startTrimming", startTrimming);
  add("stopTrimming", stopTrimming);
  return exports;
}

}  // namespace

NAPI_MODULE(lacuna_memory, initialise)
