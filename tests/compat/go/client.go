// The AWS SDK for Go v2: JSON over HTTP/1.1, or with "tls" as the argument
// over TLS, where it asks for HTTP/2 by ALPN. The steps are the table of
// ../README.md.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
)

const (
	mainStream     = "compat-main"
	middleHashKey  = "170141183460469231731687303715884105728"
	highestHashKey = "340282366920938463463374607431768211455"
	pastHashKeys   = "340282366920938463463374607431768211456"
)

type record struct {
	shard, key string
	data       []byte
}

var (
	ctx    = context.Background()
	secure = len(os.Args) > 1 && os.Args[1] == "tls"
	client *kinesis.Client
	arn    string
	puts   []record // What was put into mainStream.
)

// Fails the step that runs.
func check(holds bool, format string, arguments ...interface{}) {
	if !holds {
		panic(fmt.Sprintf(format, arguments...))
	}
}

func equal(actual, expected interface{}) {
	check(reflect.DeepEqual(actual, expected), "%v instead of %v", actual,
		expected)
}

func must[T any](value T, err error) T {
	check(err == nil, "%v", err)
	return value
}

func isNow(at *time.Time) {
	check(at != nil && time.Since(*at).Abs() < time.Minute,
		"%v is not within a minute of now", at)
}

func until(what string, holds func() bool) {
	deadline := time.Now().Add(30 * time.Second)
	for !holds() {
		check(time.Now().Before(deadline), "waited 30 s for %s", what)
		time.Sleep(100 * time.Millisecond)
	}
}

// Whether err is the SDK's type T, with what AWS sends with it.
func fails[T error](_ interface{}, err error) {
	var typed T
	check(err != nil, "the call succeeded, no %T", typed)
	check(errors.As(err, &typed), "not a %T: %v", typed, err)
	var response *awshttp.ResponseError
	check(errors.As(err, &response), "no answer: %v", err)
	equal(response.HTTPStatusCode(), 400)
	check(response.ServiceRequestID() != "", "no request id")
	var api smithy.APIError
	check(errors.As(err, &api) && api.ErrorMessage() != "", "no message")
}

// An error that the model of the operation does not name has no type of its
// own in this SDK.
func failsWith(code string, err error) {
	var api smithy.APIError
	check(errors.As(err, &api), "no answer: %v", err)
	equal(api.ErrorCode(), code)
	check(api.ErrorMessage() != "", "no message")
}

func newClient(endpoint string, attempts int) *kinesis.Client {
	loaded := must(config.LoadDefaultConfig(ctx))
	return kinesis.NewFromConfig(loaded, func(options *kinesis.Options) {
		options.BaseEndpoint = aws.String(endpoint)
		options.RetryMaxAttempts = attempts
		options.HTTPClient = awshttp.NewBuildableClient().
			WithTransportOptions(func(transport *http.Transport) {
				transport.TLSClientConfig = &tls.Config{
					InsecureSkipVerify: true,
				}
			})
	})
}

func summary(name string) *types.StreamDescriptionSummary {
	return must(client.DescribeStreamSummary(ctx,
		&kinesis.DescribeStreamSummaryInput{StreamName: &name})).
		StreamDescriptionSummary
}

func active(name string) *types.StreamDescriptionSummary {
	until(name+" to be ACTIVE", func() bool {
		return summary(name).StreamStatus == types.StreamStatusActive
	})
	return summary(name)
}

func create(on *kinesis.Client, name string, shards int32) {
	must(on.CreateStream(ctx, &kinesis.CreateStreamInput{
		StreamName: &name, ShardCount: &shards}))
	waiter := kinesis.NewStreamExistsWaiter(on)
	err := waiter.Wait(ctx, &kinesis.DescribeStreamInput{StreamName: &name},
		30*time.Second, func(options *kinesis.StreamExistsWaiterOptions) {
			options.MinDelay = time.Second
			options.MaxDelay = time.Second
		})
	check(err == nil, "%v", err)
}

func shardsOf(name string, filter types.ShardFilterType) []types.Shard {
	input := &kinesis.ListShardsInput{StreamName: &name}
	if filter != "" {
		input.ShardFilter = &types.ShardFilter{Type: filter}
	}
	return must(client.ListShards(ctx, input)).Shards
}

func iterator(input kinesis.GetShardIteratorInput) string {
	return *must(client.GetShardIterator(ctx, &input)).ShardIterator
}

func iteratorOf(name, shard string, kind types.ShardIteratorType) string {
	return iterator(kinesis.GetShardIteratorInput{
		StreamName: &name, ShardId: &shard, ShardIteratorType: kind})
}

// Reads until there are count records, or to the shard's end (count < 0).
func read(position string, count int) ([]types.Record,
	*kinesis.GetRecordsOutput) {
	var records []types.Record
	deadline := time.Now().Add(20 * time.Second)
	for {
		answer := must(client.GetRecords(ctx, &kinesis.GetRecordsInput{
			ShardIterator: &position}))
		records = append(records, answer.Records...)
		done := count >= 0 && len(records) >= count
		if answer.NextShardIterator == nil || done {
			return records, answer
		}
		check(*answer.NextShardIterator != position,
			"the iterator did not change")
		position = *answer.NextShardIterator
		check(time.Now().Before(deadline), "%d of %d records after 20 s",
			len(records), count)
		time.Sleep(50 * time.Millisecond)
	}
}

func texts(position string, count int) []string {
	var texts []string
	records, _ := read(position, count)
	for _, each := range records {
		texts = append(texts, string(each.Data))
	}
	return texts
}

func put(name string, data []byte, key string,
	hashKey *string) *kinesis.PutRecordOutput {
	return must(client.PutRecord(ctx, &kinesis.PutRecordInput{
		StreamName: &name, Data: data, PartitionKey: &key,
		ExplicitHashKey: hashKey}))
}

func register(streamARN, name string) string {
	consumer := must(client.RegisterStreamConsumer(ctx,
		&kinesis.RegisterStreamConsumerInput{
			StreamARN: &streamARN, ConsumerName: &name})).Consumer
	equal(consumer.ConsumerStatus, types.ConsumerStatusCreating)
	isNow(consumer.ConsumerCreationTimestamp)
	until("consumer "+name+" to be ACTIVE", func() bool {
		return must(client.DescribeStreamConsumer(ctx,
			&kinesis.DescribeStreamConsumerInput{
				ConsumerARN: consumer.ConsumerARN})).
			ConsumerDescription.ConsumerStatus ==
			types.ConsumerStatusActive
	})
	return *consumer.ConsumerARN
}

func subscribe(consumer, shard string, kind types.ShardIteratorType) (
	*kinesis.SubscribeToShardOutput, error) {
	return client.SubscribeToShard(ctx, &kinesis.SubscribeToShardInput{
		ConsumerARN: &consumer, ShardId: &shard,
		StartingPosition: &types.StartingPosition{Type: kind}})
}

// The next event, or nil when the server ended the subscription.
func next(stream *kinesis.SubscribeToShardEventStream) *types.
	SubscribeToShardEvent {
	select {
	case event, open := <-stream.Events():
		if !open {
			check(stream.Err() == nil, "%v", stream.Err())
			return nil
		}
		member := event.(*types.
			SubscribeToShardEventStreamMemberSubscribeToShardEvent)
		return &member.Value
	case <-time.After(20 * time.Second):
		panic("no event for 20 s")
	}
}

func ids(shards []types.Shard) []string {
	var ids []string
	for _, shard := range shards {
		ids = append(ids, *shard.ShardId)
	}
	return ids
}

func main() {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if secure {
		endpoint = os.Getenv("TRIREME_TLS_URL")
	}
	client = newClient(endpoint, 3)
	failed := false
	for _, step := range steps {
		name := runtime.FuncForPC(reflect.ValueOf(step).Pointer()).Name()
		name = strings.TrimPrefix(name, "main.")
		if !run(name, step) {
			failed = true
			if arn == "" {
				break
			}
		}
	}
	if failed {
		os.Exit(1)
	}
}

// Runs one step; what it returns is why it did not run.
func run(name string, step func() string) (ok bool) {
	start := time.Now()
	defer func() {
		if failure := recover(); failure != nil {
			fmt.Printf("FAILED %s: %v\n%s\n", name, failure, debug.Stack())
		}
	}()
	note := step()
	if note != "" {
		note = ": " + note
	}
	fmt.Printf("ok %s (%d ms)%s\n", name,
		time.Since(start).Milliseconds(), note)
	return true
}

func sortedShown(records []record) []string {
	var shown []string
	for _, each := range records {
		shown = append(shown, fmt.Sprintf("%s %x", each.key, each.data))
	}
	sort.Strings(shown)
	return shown
}

func everyByte() []byte {
	var all bytes.Buffer
	for i := 0; i < 256; i++ {
		all.WriteByte(byte(i))
	}
	return all.Bytes()
}
