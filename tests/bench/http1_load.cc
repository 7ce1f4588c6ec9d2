// By HTTP/1.1: a connection a loop.
#include <boost/asio/detached.hpp>
#include <memory>

#include "storage/check.h"
#include "tests/bench/http1_client.h"
#include "tests/bench/http_load.h"
#include "tests/bench/tally.h"

namespace trireme::bench {
namespace {

namespace asio = boost::asio;

Awaitable<void> Run(Http1Client& client, const ClosedLoop& loop, Tally& tally) {
  while (!tally.over()) {
    const KinesisRequest& request = loop.next();
    const int64_t sent_at = SteadyNow();
    const unsigned status = co_await client.Call(request);
    const Counted counted = loop.count(status, client.answer());
    tally.Add(sent_at, counted.records, counted.failed);
    CHECK(status != 0, "the server has closed a connection");
  }
}

}  // namespace

LoadResult RunHttp1(const std::string& address,
                    const std::vector<ClosedLoop>& loops, LoadTimes times) {
  asio::io_context context(1);
  std::vector<std::unique_ptr<Http1Client>> clients;
  for (size_t i = 0; i < loops.size(); ++i) {
    clients.push_back(std::make_unique<Http1Client>(context, address));
  }
  Tally tally(times);
  for (size_t i = 0; i < loops.size(); ++i) {
    asio::co_spawn(context.get_executor(), Run(*clients[i], loops[i], tally),
                   asio::detached);
  }
  context.run();
  return tally.Take();
}

std::string CallKinesis(const std::string& address,
                        const KinesisRequest& request) {
  asio::io_context context(1);
  Http1Client client(context, address);
  unsigned status = 0;
  const auto call = [&]() -> Awaitable<void> {
    status = co_await client.Call(request);
  };
  asio::co_spawn(context.get_executor(), call, asio::detached);
  context.run();
  CHECK(status == 200, request.operation + " at " + address + ": " +
                           std::string(client.answer()));
  return std::string(client.answer());
}

}  // namespace trireme::bench
