// drogon_echo FOLDER: a bare Drogon server beside which the gateway is measured, until it is killed; says its port on
// stdout. Without TLS, which Debian's build of Drogon lacks. FOLDER takes the uploads it wants a place for.
#include <drogon/drogon.h>

#include <print>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  trantor::Logger::setLogLevel(trantor::Logger::kWarn);
  auto& app = drogon::app();
  app.setUploadPath(argv[1]).addListener("127.0.0.1", 0).setThreadNum(2);
  app.registerHandler("/echo",
                      [](const drogon::HttpRequestPtr&, std::function<void(const drogon::HttpResponsePtr&)>&& reply) {
                        const auto response = drogon::HttpResponse::newHttpResponse();
                        response->setContentTypeCode(drogon::CT_APPLICATION_JSON);
                        response->setBody(R"({"healthy":true,"reason":""})");
                        reply(response);
                      });
  app.registerBeginningAdvice([&app] {
    std::println("{}", app.getListeners().front().toPort());
    std::fflush(stdout);
  });
  app.run();
  return 0;
}
