// A few waiting threads for the kernels; TensorFlow's own pool is not reachable through its C interface.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace lacuna {

class Pool {
 public:
  Pool() {
    unsigned count = std::max(1u, std::thread::hardware_concurrency());
    for (unsigned i = 1; i < count; i++) std::thread([this] { work(); }).detach();
    workers_ = count - 1;
  }
  // Calls body(index) for each of `count` tasks, in any order and on any thread.
  void each(int64_t count, const std::function<void(int64_t)>& body) {
    const std::function<void(int64_t, int64_t)> piece = [&](int64_t from, int64_t to) { for (int64_t i = from; i < to; i++) body(i); };
    share(count, count, piece);
  }
  // Calls body(begin, end) over [0, rows) in pieces; small work stays on this thread.
  void run(int64_t rows, int64_t floatsPerRow, const std::function<void(int64_t, int64_t)>& body) {
    if (rows * floatsPerRow < 32768) return body(0, rows);
    share(rows, std::min<int64_t>(rows, 4 * (workers_ + 1)), body);
  }
  // Threads that take part, this one included.
  int64_t threads() const { return workers_ + 1; }

 private:
  void share(int64_t rows, int64_t pieces, const std::function<void(int64_t, int64_t)>& body) {
    if (workers_ == 0 || pieces < 2) return body(0, rows);
    std::lock_guard<std::mutex> one(callers_);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      body_ = &body;
      rows_ = rows;
      pieces_ = pieces;
      next_ = 0;
      finished_ = 0;
      generation_++;
    }
    wake_.notify_all();
    takePieces();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return finished_ == pieces_ && active_ == 0; });
    body_ = nullptr;
  }

  void takePieces() {
    for (;;) {
      int64_t piece = next_.fetch_add(1);
      if (piece >= pieces_) return;
      (*body_)(rows_ * piece / pieces_, rows_ * (piece + 1) / pieces_);
      finished_.fetch_add(1);
    }
  }
  void work() {
    uint64_t seen = 0;
    for (;;) {
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return generation_ != seen && body_ != nullptr; });
        seen = generation_;
        active_++;
      }
      takePieces();
      std::lock_guard<std::mutex> lock(mutex_);
      active_--;
      done_.notify_one();
    }
  }
  std::mutex callers_, mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(int64_t, int64_t)>* body_ = nullptr;
  int64_t rows_ = 0, pieces_ = 0;
  std::atomic<int64_t> next_{0}, finished_{0};
  uint64_t generation_ = 0;
  int active_ = 0;
  unsigned workers_ = 0;
};

Pool& pool() {
  static Pool* instance = new Pool();  // never destroyed: its threads outlive static destruction
  return *instance;
}

}  // namespace lacuna
