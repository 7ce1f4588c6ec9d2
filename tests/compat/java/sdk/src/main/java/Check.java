import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import software.amazon.awssdk.services.kinesis.model.KinesisException;

/** What the steps assert with. */
final class Check {
  private Check() {}

  static void that(boolean holds, String what) {
    if (!holds) throw new AssertionError(what);
  }

  static void equal(Object actual, Object expected) {
    that(Objects.equals(actual, expected), actual + " instead of " + expected);
  }

  static void isNow(Instant at) {
    that(Duration.between(at, Instant.now()).abs().toSeconds() < 60,
         at + " is not within a minute of now");
  }

  /** Throws exactly this exception of the SDK, with what AWS sends with it. */
  static <T extends KinesisException> T fails(Class<T> type,
                                              Callable<?> call) {
    try {
      call.call();
    } catch (Exception error) {
      Throwable cause =
          error instanceof CompletionException ? error.getCause() : error;
      if (!type.isInstance(cause)) {
        throw new AssertionError("not a " + type.getSimpleName(), cause);
      }
      T typed = type.cast(cause);
      equal(typed.statusCode(), 400);
      that(typed.requestId() != null, "an error without a request id");
      equal(typed.awsErrorDetails().errorCode(), type.getSimpleName());
      that(!typed.awsErrorDetails().errorMessage().isEmpty(),
           "an error without a message");
      return typed;
    }
    throw new AssertionError("the call succeeded, no "
                             + type.getSimpleName());
  }

  interface Condition {
    boolean holds() throws Exception;
  }

  static void until(String what, Condition condition) throws Exception {
    Instant deadline = Instant.now().plusSeconds(30);
    while (!condition.holds()) {
      that(Instant.now().isBefore(deadline), "waited 30 s for " + what);
      Thread.sleep(100);
    }
  }
}
