// An HTTP server that answers each POST with its body and all else with 200
// bytes, to measure what the HTTP server itself costs:
//
//   http_echo 127.0.0.1:4567 2 &
//   h2load -n 500000 -c 8 -m 64 http://127.0.0.1:4567/
//   wrk -t 2 -c 64 http://127.0.0.1:4567/
//
// With a certificate and a key, TLS too: http_echo ADDRESS THREADS CERT KEY
#include <signal.h>

#include <cstdio>
#include <cstdlib>

#include "server/http/http_server.h"

namespace trireme {
namespace {

class EchoService : public HttpService {
 public:
  void Serve(std::shared_ptr<HttpExchange> exchange) override {
    const HttpRequest& request = exchange->request();
    HttpResponse response{.headers = {{"content-type", "text/plain"}}};
    response.body =
        request.method == "POST" ? absl::Cord(request.body) : absl::Cord(kBody);
    exchange->Respond(std::move(response));
  }

 private:
  const std::string kBody = std::string(200, 'x');
};

int Run(int argc, char** argv) {
  HttpServerOptions options;
  if (argc > 1) options.address = argv[1];
  if (argc > 2) options.threads = std::atoi(argv[2]);
  if (argc > 4) {
    auto tls = ReadTlsFiles({.certificate = argv[3], .key = argv[4]});
    if (!tls.ok()) {
      std::fprintf(stderr, "%s\n", tls.status().ToString().c_str());
      return 1;
    }
    options.tls = *std::move(tls);
  }
  sigset_t stops;
  sigemptyset(&stops);
  sigaddset(&stops, SIGINT);
  sigaddset(&stops, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stops, nullptr);
  EchoService service;
  auto server = HttpServer::Start(options, &service);
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.status().ToString().c_str());
    return 1;
  }
  std::printf("port %d\n", (*server)->port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&stops, &signal);
  (*server)->Stop(absl::Seconds(5));
  return 0;
}

}  // namespace
}  // namespace trireme

int main(int argc, char** argv) { return trireme::Run(argc, argv); }
