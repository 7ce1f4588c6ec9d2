#include "server/http/loop_exchange.h"

namespace trireme {

LoopExchange::LoopExchange(HttpRequest request, BodyCharge charge,
                           std::shared_ptr<HttpLoop> loop,
                           std::shared_ptr<HttpAnswer> answer)
    : HttpExchange(std::move(request)),
      charge_(std::move(charge)),
      loop_(std::move(loop)),
      answer_(std::move(answer)) {}

LoopExchange::~LoopExchange() {
  if (loop_->RunsHere()) {
    answer_->Drop();
  } else {
    loop_->Post([answer = answer_] { answer->Drop(); });
  }
}

template <typename Call>
void LoopExchange::OnLoop(Call call) {
  if (on_their_way_.load(std::memory_order_acquire) == 0 && loop_->RunsHere()) {
    call(*answer_);
    return;
  }
  on_their_way_.fetch_add(1, std::memory_order_acq_rel);
  loop_->Post([self = shared_from_this(), call = std::move(call)]() mutable {
    call(*self->answer_);
    self->on_their_way_.fetch_sub(1, std::memory_order_acq_rel);
  });
}

void LoopExchange::Respond(HttpResponse response) {
  OnLoop([response = std::move(response)](HttpAnswer& answer) mutable {
    answer.Respond(std::move(response));
  });
}

void LoopExchange::BeginStream(HttpResponse head,
                               std::shared_ptr<HttpStreamWriter> writer) {
  OnLoop([head = std::move(head),
          writer = std::move(writer)](HttpAnswer& answer) mutable {
    answer.BeginStream(std::move(head), std::move(writer));
  });
}

void LoopExchange::Write(absl::Cord piece) {
  OnLoop([piece = std::move(piece)](HttpAnswer& answer) mutable {
    answer.Write(std::move(piece));
  });
}

void LoopExchange::End() {
  OnLoop([](HttpAnswer& answer) { answer.End(); });
}

void LoopExchange::Abort() {
  OnLoop([](HttpAnswer& answer) { answer.Abort(); });
}

void LoopExchange::Post(absl::AnyInvocable<void()> job) {
  loop_->Post(std::move(job));
}

}  // namespace trireme
