import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.model.StartingPosition;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardEvent;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardEventStream;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardResponseHandler;

/** One subscription's events, in the order in which they came. */
final class Events implements Subscriber<SubscribeToShardEventStream> {
  private final BlockingQueue<SubscribeToShardEvent> events =
      new LinkedBlockingQueue<>();
  private final CompletableFuture<Void> accepted = new CompletableFuture<>();
  private final CompletableFuture<Void> end;
  private volatile Subscription subscription;

  /** Returns when the server has accepted it; throws what it answered. */
  Events(KinesisAsyncClient kinesis, String consumerArn, String shard,
         StartingPosition position) {
    end = kinesis.subscribeToShard(
        request -> request.consumerARN(consumerArn)
                       .shardId(shard)
                       .startingPosition(position),
        SubscribeToShardResponseHandler.builder()
            .onResponse(response -> accepted.complete(null))
            .onEventStream(publisher -> publisher.subscribe(this))
            .build());
    end.whenComplete((nothing, error) -> {
      if (error != null) accepted.completeExceptionally(error);
    });
    accepted.join();
  }

  SubscribeToShardEvent next() throws Exception {
    SubscribeToShardEvent event = events.poll(20, TimeUnit.SECONDS);
    if (event == null) throw new AssertionError("no event for 20 s");
    return event;
  }

  /** The last event of a subscription that the server ends. */
  SubscribeToShardEvent last() throws Exception {
    end.get(20, TimeUnit.SECONDS);
    SubscribeToShardEvent last = null;
    while (!events.isEmpty()) last = events.poll();
    return last;
  }

  void cancel() {
    subscription.cancel();
  }

  @Override
  public void onSubscribe(Subscription given) {
    subscription = given;
    subscription.request(Long.MAX_VALUE);
  }

  @Override
  public void onNext(SubscribeToShardEventStream item) {
    if (item instanceof SubscribeToShardEvent event) events.add(event);
  }

  @Override
  public void onError(Throwable error) {}

  @Override
  public void onComplete() {}
}
