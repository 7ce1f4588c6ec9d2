// HttpLoop is one thread with its io_context: all that belongs to a connection
// runs on the loop it was given to, so connections need no locks.
//
// Shared by the server and by the exchanges of its connections, which may
// outlive the server: what is posted after Finish is dropped.
#ifndef TRIREME_SERVER_HTTP_HTTP_LOOP_H_
#define TRIREME_SERVER_HTTP_HTTP_LOOP_H_

#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/http/asio.h"

namespace trireme {

// What is told the time now and then, to find what took too long.
class TickListener {
 public:
  virtual ~TickListener() = default;
  virtual void OnTick(SteadyTime now) = 0;
  virtual void StartDraining() = 0;
  virtual void Close() = 0;
};

class HttpLoop {
 public:
  using Job = absl::AnyInvocable<void()>;

  explicit HttpLoop(absl::Duration tick);
  ~HttpLoop();

  void Start();
  // Ends the thread once all it had to do is done; its listeners must have
  // left. Jobs that have not run never will.
  void Finish() ABSL_LOCKS_EXCLUDED(mu_);

  // Any thread. Jobs run in the order in which they are posted.
  void Post(Job job) ABSL_LOCKS_EXCLUDED(mu_);
  bool RunsHere() const { return std::this_thread::get_id() == thread_id_; }

  // From here on: on the loop's thread.
  boost::asio::io_context& context() { return context_; }
  Executor executor() { return context_.get_executor(); }
  void Spawn(Awaitable<void> coroutine);
  void Add(TickListener* listener) { listeners_.insert(listener); }
  void Remove(TickListener* listener) { listeners_.erase(listener); }
  void StartDraining();
  void CloseAll();
  // The value of a date header.
  absl::string_view Date();

 private:
  void RunJobs() ABSL_LOCKS_EXCLUDED(mu_);
  Awaitable<void> TickLoop();

  const absl::Duration tick_;
  boost::asio::io_context context_;

  // Set by Start.
  std::thread thread_;
  std::thread::id thread_id_;

  // Owned by the loop thread.
  Timer timer_;
  bool finishing_ = false;
  absl::flat_hash_set<TickListener*> listeners_;
  int64_t date_s_ = 0;
  std::string date_;

  absl::Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<Job> jobs_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP_LOOP_H_
