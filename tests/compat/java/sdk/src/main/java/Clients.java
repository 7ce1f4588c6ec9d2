import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.ProtocolNegotiation;
import software.amazon.awssdk.http.SdkHttpConfigurationOption;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.utils.AttributeMap;

/** The SDK's clients, by the way in which they reach the server. */
final class Clients {
  /** Requests sent, retries included. */
  static final AtomicInteger sent = new AtomicInteger();

  private Clients() {}

  static ClientOverrideConfiguration attempts(int attempts) {
    return ClientOverrideConfiguration.builder()
        .retryStrategy(AwsRetryStrategy.standardRetryStrategy()
                           .toBuilder()
                           .maxAttempts(attempts)
                           .build())
        .addExecutionInterceptor(new ExecutionInterceptor() {
          @Override
          public void beforeTransmission(Context.BeforeTransmission context,
                                         ExecutionAttributes attributes) {
            sent.incrementAndGet();
          }
        })
        .build();
  }

  /** HTTP/2: by prior knowledge on http, negotiated by ALPN on https. */
  static KinesisAsyncClient async(String endpoint, int attempts) {
    NettyNioAsyncHttpClient.Builder http =
        NettyNioAsyncHttpClient.builder().protocol(Protocol.HTTP2);
    SdkAsyncHttpClient client;
    if (endpoint.startsWith("https:")) {
      client = http.buildWithDefaults(
          AttributeMap.builder()
              .put(SdkHttpConfigurationOption.TRUST_ALL_CERTIFICATES, true)
              .build());
    } else {
      client = http.protocolNegotiation(ProtocolNegotiation.ASSUME_PROTOCOL)
                   .build();
    }
    return KinesisAsyncClient.builder()
        .endpointOverride(URI.create(endpoint))
        .httpClient(client)
        .overrideConfiguration(attempts(attempts))
        .build();
  }

  static KinesisClient sync(String endpoint, int attempts) {
    return KinesisClient.builder()
        .endpointOverride(URI.create(endpoint))
        .overrideConfiguration(attempts(attempts))
        .build();
  }

  /** The asynchronous client, each call waited for: one list of steps. */
  static KinesisClient waiting(KinesisAsyncClient client) {
    InvocationHandler handler = (proxy, method, arguments) -> {
      if (method.getName().endsWith("Paginator")) {
        return InvocationHandler.invokeDefault(proxy, method, arguments);
      }
      try {
        Object result =
            KinesisAsyncClient.class
                .getMethod(method.getName(), method.getParameterTypes())
                .invoke(client, arguments);
        return result instanceof CompletableFuture<?> future ? future.join()
                                                            : result;
      } catch (CompletionException | InvocationTargetException error) {
        throw error.getCause();
      }
    };
    return (KinesisClient) Proxy.newProxyInstance(
        KinesisClient.class.getClassLoader(),
        new Class<?>[] {KinesisClient.class}, handler);
  }
}
