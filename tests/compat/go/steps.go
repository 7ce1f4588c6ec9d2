package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

var steps = []func() string{
	createsAStreamAndWaits, putsRecords, readsByEveryIteratorType,
	subscribesToAShard, readsAcrossASplitAndAMerge, keepsConsumers, keepsTags,
	changesRetention, switchesEnhancedMonitoring, switchesEncryption,
	updatesTheShardCount, hasOnDemandStreams, keepsResourcePolicies,
	throwsTypedErrors, pagesThroughLists, isThrottledAndRetries,
	deletesStreams,
}

func createsAStreamAndWaits() string {
	create(client, mainStream, 2)
	seen := summary(mainStream)
	arn = *seen.StreamARN
	equal(seen.StreamStatus, types.StreamStatusActive)
	equal(*seen.OpenShardCount, int32(2))
	equal(*seen.RetentionPeriodHours, int32(24))
	equal(seen.StreamModeDetails.StreamMode, types.StreamModeProvisioned)
	isNow(seen.StreamCreationTimestamp)
	described := must(client.DescribeStream(ctx,
		&kinesis.DescribeStreamInput{
			StreamName: aws.String(mainStream)})).StreamDescription
	isNow(described.StreamCreationTimestamp)
	keys := described.Shards[1].HashKeyRange
	equal(*keys.StartingHashKey, middleHashKey)
	equal(*keys.EndingHashKey, highestHashKey)
	return ""
}

func putsRecords() string {
	shards := ids(shardsOf(mainStream, ""))
	low, high := shards[0], shards[1]
	hashKeys := map[string]*string{
		low: aws.String("0"), high: aws.String(highestHashKey)}
	puts = []record{
		{low, "empty", []byte{}},
		{high, "binary", everyByte()},
		{low, "schlüssel-ключ-鍵-🗝", []byte("naïve ✓")},
		{high, strings.Repeat("k", 256), []byte("the longest key")},
	}
	for _, each := range puts {
		answer := put(mainStream, each.data, each.key, hashKeys[each.shard])
		equal(*answer.ShardId, each.shard)
		check(*answer.SequenceNumber != "", "no sequence number")
	}
	var entries []types.PutRecordsRequestEntry
	var expected []string
	for i := 0; i < 500; i++ {
		each := record{shards[i%2], fmt.Sprintf("batch-%d", i),
			[]byte(fmt.Sprintf("record %d", i))}
		puts = append(puts, each)
		expected = append(expected, each.shard)
		entries = append(entries, types.PutRecordsRequestEntry{
			Data: each.data, PartitionKey: aws.String(each.key),
			ExplicitHashKey: hashKeys[each.shard]})
	}
	answer := must(client.PutRecords(ctx, &kinesis.PutRecordsInput{
		StreamName: aws.String(mainStream), Records: entries}))
	equal(*answer.FailedRecordCount, int32(0))
	var landed []string
	for _, entry := range answer.Records {
		landed = append(landed, *entry.ShardId)
	}
	equal(landed, expected)
	return ""
}

func readsByEveryIteratorType() string {
	shards := shardsOf(mainStream, "")
	for _, shard := range shards {
		var expected, seen []record
		for _, each := range puts {
			if each.shard == *shard.ShardId {
				expected = append(expected, each)
			}
		}
		records, _ := read(iteratorOf(mainStream, *shard.ShardId,
			types.ShardIteratorTypeTrimHorizon), len(expected))
		for _, each := range records {
			isNow(each.ApproximateArrivalTimestamp)
			equal(each.EncryptionType, types.EncryptionType(""))
			seen = append(seen,
				record{*shard.ShardId, *each.PartitionKey, each.Data})
		}
		equal(sortedShown(seen), sortedShown(expected))
	}
	shard := *shards[0].ShardId
	latest := iteratorOf(mainStream, shard, types.ShardIteratorTypeLatest)
	var numbers []*string
	for i := 0; i < 4; i++ {
		if i == 2 {
			time.Sleep(1100 * time.Millisecond)
		}
		numbers = append(numbers, put(mainStream,
			[]byte(fmt.Sprintf("r%d", i)), "five", aws.String("0")).
			SequenceNumber)
	}
	equal(texts(latest, 4), []string{"r0", "r1", "r2", "r3"})
	// An iterator is a position: a retry reads the same.
	equal(texts(latest, 4), []string{"r0", "r1", "r2", "r3"})
	input := kinesis.GetShardIteratorInput{
		StreamName: aws.String(mainStream), ShardId: &shard,
		ShardIteratorType:      types.ShardIteratorTypeAtSequenceNumber,
		StartingSequenceNumber: numbers[2]}
	at := iterator(input)
	equal(texts(at, 2), []string{"r2", "r3"})
	input.ShardIteratorType = types.ShardIteratorTypeAfterSequenceNumber
	equal(texts(iterator(input), 1), []string{"r3"})
	records, _ := read(at, 1)
	input.ShardIteratorType = types.ShardIteratorTypeAtTimestamp
	input.StartingSequenceNumber = nil
	input.Timestamp = records[0].ApproximateArrivalTimestamp
	equal(texts(iterator(input), 2), []string{"r2", "r3"})
	input.Timestamp = nil
	input.ShardIteratorType = types.ShardIteratorTypeAtSequenceNumber
	input.StartingSequenceNumber =
		shards[0].SequenceNumberRange.StartingSequenceNumber
	iterator(input)
	return ""
}

func subscribesToAShard() string {
	shards := ids(shardsOf(mainStream, ""))
	consumer := register(arn, "fan-out")
	stream := must(subscribe(consumer, shards[0],
		types.ShardIteratorTypeLatest)).GetStream()
	fails[*types.ResourceInUseException](
		subscribe(consumer, shards[0], types.ShardIteratorTypeLatest))
	go func() {
		for i := 0; i < 11; i++ {
			time.Sleep(100 * time.Millisecond)
			put(mainStream,
				[]byte(strconv.FormatInt(time.Now().UnixNano(), 10)),
				"push", aws.String("0"))
		}
	}()
	var latencies []time.Duration
	var continuation *string
	for len(latencies) < 11 {
		event := next(stream)
		check(event != nil, "the subscription ended")
		continuation = event.ContinuationSequenceNumber
		check(continuation != nil, "no continuation")
		check(*event.MillisBehindLatest >= 0, "ahead of the latest")
		for _, each := range event.Records {
			sent := must(strconv.ParseInt(string(each.Data), 10, 64))
			latencies = append(latencies, time.Since(time.Unix(0, sent)))
			isNow(each.ApproximateArrivalTimestamp)
		}
	}
	stream.Close()
	sort.Slice(latencies, func(i, j int) bool {
		return latencies[i] < latencies[j]
	})
	fmt.Printf("  put to push: median %v, most %v\n", latencies[5],
		latencies[10])
	check(latencies[5] < time.Second, "a median of 1 s or more")
	// The other shard from its start: not LATEST only.
	expected := 0
	for _, each := range puts {
		if each.shard == shards[1] {
			expected++
		}
	}
	stream = must(subscribe(consumer, shards[1],
		types.ShardIteratorTypeTrimHorizon)).GetStream()
	seen := 0
	for seen < expected {
		event := next(stream)
		check(event != nil, "the subscription ended")
		seen += len(event.Records)
	}
	stream.Close()
	equal(seen, expected)
	iterator(kinesis.GetShardIteratorInput{
		StreamName: aws.String(mainStream), ShardId: &shards[0],
		ShardIteratorType:      types.ShardIteratorTypeAfterSequenceNumber,
		StartingSequenceNumber: continuation})
	return ""
}

func putSome(name string, start int) int {
	for i := start; i < start+10; i++ {
		// Keys that fall on both sides of the middle.
		put(name, []byte(strconv.Itoa(i)), fmt.Sprintf("key-%d", i%4), nil)
	}
	return start + 10
}

// Every record, in the order that the ends of the shards give.
func readParentsFirst(name, root string, count int) []types.Record {
	var records []types.Record
	ended := map[string]bool{}
	todo := []string{root}
	for {
		shard := todo[0]
		todo = todo[1:]
		last := len(todo) == 0 && len(ended) == 3
		wanted := -1
		if last {
			wanted = count - len(records)
		}
		some, answer := read(iteratorOf(name, shard,
			types.ShardIteratorTypeTrimHorizon), wanted)
		records = append(records, some...)
		if last {
			return records
		}
		check(answer.NextShardIterator == nil, "%s has no end", shard)
		ended[shard] = true
		for _, child := range answer.ChildShards {
			check(child.HashKeyRange.EndingHashKey != nil, "no range")
			ready, ours := true, false
			for _, parent := range child.ParentShards {
				ready = ready && ended[parent]
				ours = ours || parent == shard
			}
			check(ours, "%s is no child of %s", *child.ShardId, shard)
			if ready {
				todo = append(todo, *child.ShardId)
			}
		}
		check(len(todo) > 0, "no child of %s", shard)
	}
}

func readsAcrossASplitAndAMerge() string {
	name := "compat-reshard"
	create(client, name, 1)
	root := ids(shardsOf(name, ""))[0]
	consumer := register(*summary(name).StreamARN, "across")
	stream := must(subscribe(consumer, root,
		types.ShardIteratorTypeTrimHorizon)).GetStream()
	count := putSome(name, 0)
	must(client.SplitShard(ctx, &kinesis.SplitShardInput{
		StreamName: &name, ShardToSplit: &root,
		NewStartingHashKey: aws.String(middleHashKey)}))
	count = putSome(name, count)
	active(name)
	children := shardsOf(name, types.ShardFilterTypeAtLatest)
	equal(len(children), 2)
	for _, child := range children {
		equal(*child.ParentShardId, root)
	}
	count = putSome(name, count)
	must(client.MergeShards(ctx, &kinesis.MergeShardsInput{
		StreamName: &name, ShardToMerge: children[0].ShardId,
		AdjacentShardToMerge: children[1].ShardId}))
	active(name)
	count = putSome(name, count)
	shards := shardsOf(name, "")
	equal(len(shards), 4)
	equal(*shards[3].ParentShardId, *children[0].ShardId)
	equal(*shards[3].AdjacentParentShardId, *children[1].ShardId)
	check(shards[0].SequenceNumberRange.EndingSequenceNumber != nil,
		"a closed shard without an end")
	check(shards[3].SequenceNumberRange.EndingSequenceNumber == nil,
		"an open shard with an end")

	newest := map[string]int{}
	seen := map[int]bool{}
	for _, each := range readParentsFirst(name, root, count) {
		value := must(strconv.Atoi(string(each.Data)))
		check(!seen[value], "%d came twice", value)
		seen[value] = true
		before, is := newest[*each.PartitionKey]
		check(!is || before < value, "%s came out of order",
			*each.PartitionKey)
		newest[*each.PartitionKey] = value
	}
	equal(len(seen), count)
	// The subscription to the split shard ends with its children.
	var end *types.SubscribeToShardEvent
	for event := next(stream); event != nil; event = next(stream) {
		end = event
	}
	check(end != nil && end.ContinuationSequenceNumber == nil,
		"the last event goes on")
	var ends []string
	for _, child := range end.ChildShards {
		ends = append(ends, *child.ShardId)
	}
	equal(ends, ids(children))
	return ""
}

func keepsConsumers() string {
	names := []string{"one", "two", "three"}
	for _, name := range names {
		register(arn, name)
	}
	fails[*types.ResourceInUseException](client.RegisterStreamConsumer(ctx,
		&kinesis.RegisterStreamConsumerInput{
			StreamARN: &arn, ConsumerName: &names[0]}))
	var listed []string
	pages := kinesis.NewListStreamConsumersPaginator(client,
		&kinesis.ListStreamConsumersInput{
			StreamARN: &arn, MaxResults: aws.Int32(2)})
	for pages.HasMorePages() {
		for _, each := range must(pages.NextPage(ctx)).Consumers {
			listed = append(listed, *each.ConsumerName)
		}
	}
	sort.Strings(listed)
	equal(listed, []string{"fan-out", "one", "three", "two"})
	for i := range names {
		must(client.DeregisterStreamConsumer(ctx,
			&kinesis.DeregisterStreamConsumerInput{
				StreamARN: &arn, ConsumerName: &names[i]}))
	}
	input := &kinesis.DescribeStreamConsumerInput{
		StreamARN: &arn, ConsumerName: &names[0]}
	until("consumer one to be gone", func() bool {
		_, err := client.DescribeStreamConsumer(ctx, input)
		return err != nil
	})
	fails[*types.ResourceNotFoundException](
		client.DescribeStreamConsumer(ctx, input))
	return ""
}

func keepsTags() string {
	name := aws.String(mainStream)
	must(client.AddTagsToStream(ctx, &kinesis.AddTagsToStreamInput{
		StreamName: name,
		Tags:       map[string]string{"team": "données", "empty": ""}}))
	tags := func() map[string]string {
		answer := must(client.ListTagsForStream(ctx,
			&kinesis.ListTagsForStreamInput{StreamName: name}))
		equal(*answer.HasMoreTags, false)
		found := map[string]string{}
		for _, tag := range answer.Tags {
			found[*tag.Key] = *tag.Value
		}
		return found
	}
	equal(tags(), map[string]string{"team": "données", "empty": ""})
	must(client.RemoveTagsFromStream(ctx,
		&kinesis.RemoveTagsFromStreamInput{
			StreamName: name, TagKeys: []string{"team"}}))
	equal(tags(), map[string]string{"empty": ""})
	return ""
}

func changesRetention() string {
	name := aws.String(mainStream)
	must(client.IncreaseStreamRetentionPeriod(ctx,
		&kinesis.IncreaseStreamRetentionPeriodInput{
			StreamName: name, RetentionPeriodHours: aws.Int32(48)}))
	equal(*active(mainStream).RetentionPeriodHours, int32(48))
	must(client.DecreaseStreamRetentionPeriod(ctx,
		&kinesis.DecreaseStreamRetentionPeriodInput{
			StreamName: name, RetentionPeriodHours: aws.Int32(24)}))
	equal(*active(mainStream).RetentionPeriodHours, int32(24))
	fails[*types.InvalidArgumentException](
		client.DecreaseStreamRetentionPeriod(ctx,
			&kinesis.DecreaseStreamRetentionPeriodInput{
				StreamName: name, RetentionPeriodHours: aws.Int32(23)}))
	return ""
}

func switchesEnhancedMonitoring() string {
	metrics := []types.MetricsName{types.MetricsNameIncomingBytes,
		types.MetricsNameOutgoingBytes}
	sorted := func(names []types.MetricsName) []types.MetricsName {
		sort.Slice(names, func(i, j int) bool { return names[i] < names[j] })
		return names
	}
	on := must(client.EnableEnhancedMonitoring(ctx,
		&kinesis.EnableEnhancedMonitoringInput{
			StreamName:        aws.String(mainStream),
			ShardLevelMetrics: metrics}))
	equal(len(on.CurrentShardLevelMetrics), 0)
	equal(sorted(on.DesiredShardLevelMetrics), metrics)
	equal(sorted(active(mainStream).EnhancedMonitoring[0].
		ShardLevelMetrics), metrics)
	off := must(client.DisableEnhancedMonitoring(ctx,
		&kinesis.DisableEnhancedMonitoringInput{
			StreamName:        aws.String(mainStream),
			ShardLevelMetrics: []types.MetricsName{types.MetricsNameAll}}))
	equal(len(off.DesiredShardLevelMetrics), 0)
	active(mainStream)
	return ""
}

func switchesEncryption() string {
	key := "alias/aws/kinesis"
	must(client.StartStreamEncryption(ctx,
		&kinesis.StartStreamEncryptionInput{
			StreamName: aws.String(mainStream), KeyId: &key,
			EncryptionType: types.EncryptionTypeKms}))
	on := active(mainStream)
	equal(on.EncryptionType, types.EncryptionTypeKms)
	equal(*on.KeyId, key)
	answer := put(mainStream, []byte("secret"), "encrypted",
		aws.String("0"))
	equal(answer.EncryptionType, types.EncryptionTypeKms)
	records, _ := read(iterator(kinesis.GetShardIteratorInput{
		StreamName: aws.String(mainStream), ShardId: answer.ShardId,
		ShardIteratorType:      types.ShardIteratorTypeAtSequenceNumber,
		StartingSequenceNumber: answer.SequenceNumber}), 1)
	equal(string(records[0].Data), "secret")
	equal(records[0].EncryptionType, types.EncryptionTypeKms)
	must(client.StopStreamEncryption(ctx,
		&kinesis.StopStreamEncryptionInput{
			StreamName: aws.String(mainStream), KeyId: &key,
			EncryptionType: types.EncryptionTypeKms}))
	equal(active(mainStream).EncryptionType, types.EncryptionTypeNone)
	return ""
}

func updatesTheShardCount() string {
	answer := must(client.UpdateShardCount(ctx,
		&kinesis.UpdateShardCountInput{
			StreamName:       aws.String(mainStream),
			TargetShardCount: aws.Int32(4),
			ScalingType:      types.ScalingTypeUniformScaling}))
	equal(*answer.CurrentShardCount, int32(2))
	equal(*answer.TargetShardCount, int32(4))
	equal(*active(mainStream).OpenShardCount, int32(4))
	equal(len(shardsOf(mainStream, types.ShardFilterTypeAtLatest)), 4)
	return ""
}

func hasOnDemandStreams() string {
	name := "compat-on-demand"
	must(client.CreateStream(ctx, &kinesis.CreateStreamInput{
		StreamName: &name, StreamModeDetails: &types.StreamModeDetails{
			StreamMode: types.StreamModeOnDemand}}))
	created := active(name)
	equal(created.StreamModeDetails.StreamMode, types.StreamModeOnDemand)
	equal(*created.OpenShardCount, int32(4))
	fails[*types.ValidationException](client.SplitShard(ctx,
		&kinesis.SplitShardInput{
			StreamName:         &name,
			ShardToSplit:       aws.String("shardId-000000000000"),
			NewStartingHashKey: aws.String("1000")}))
	must(client.UpdateStreamMode(ctx, &kinesis.UpdateStreamModeInput{
		StreamARN: created.StreamARN,
		StreamModeDetails: &types.StreamModeDetails{
			StreamMode: types.StreamModeProvisioned}}))
	changed := active(name)
	equal(changed.StreamModeDetails.StreamMode, types.StreamModeProvisioned)
	equal(*changed.OpenShardCount, int32(4))
	return ""
}

func keepsResourcePolicies() string {
	policy := string(must(json.Marshal(map[string]interface{}{
		"Version": "2012-10-17",
		"Statement": []interface{}{map[string]interface{}{
			"Sid": "reader", "Effect": "Allow",
			"Principal": map[string]string{
				"AWS": "arn:aws:iam::123456789012:root"},
			"Action": []string{"kinesis:DescribeStreamSummary",
				"kinesis:GetRecords", "kinesis:GetShardIterator",
				"kinesis:ListShards"},
			"Resource": arn,
		}},
	})))
	must(client.PutResourcePolicy(ctx, &kinesis.PutResourcePolicyInput{
		ResourceARN: &arn, Policy: &policy}))
	input := &kinesis.GetResourcePolicyInput{ResourceARN: &arn}
	equal(*must(client.GetResourcePolicy(ctx, input)).Policy, policy)
	must(client.DeleteResourcePolicy(ctx,
		&kinesis.DeleteResourcePolicyInput{ResourceARN: &arn}))
	equal(*must(client.GetResourcePolicy(ctx, input)).Policy, "{}")
	return ""
}

func throwsTypedErrors() string {
	name, key := aws.String(mainStream), aws.String("k")
	absent, bad := aws.String("absent"), aws.String("not a name")
	fails[*types.ResourceNotFoundException](client.DescribeStreamSummary(ctx,
		&kinesis.DescribeStreamSummaryInput{StreamName: absent}))
	fails[*types.ResourceNotFoundException](client.PutRecord(ctx,
		&kinesis.PutRecordInput{StreamName: absent, PartitionKey: key,
			Data: []byte("x")}))
	fails[*types.ResourceInUseException](client.CreateStream(ctx,
		&kinesis.CreateStreamInput{StreamName: name,
			ShardCount: aws.Int32(1)}))
	fails[*types.InvalidArgumentException](client.GetRecords(ctx,
		&kinesis.GetRecordsInput{ShardIterator: aws.String("AAAA")}))
	fails[*types.InvalidArgumentException](client.GetShardIterator(ctx,
		&kinesis.GetShardIteratorInput{
			StreamName: name, ShardId: aws.String("shardId-000000000000"),
			ShardIteratorType: types.ShardIteratorTypeAtTimestamp,
			Timestamp:         aws.Time(time.Now().Add(time.Hour))}))
	fails[*types.InvalidArgumentException](client.PutRecord(ctx,
		&kinesis.PutRecordInput{StreamName: name, PartitionKey: key,
			Data: []byte("x"), ExplicitHashKey: aws.String(pastHashKeys)}))
	_, err := client.DescribeStreamSummary(ctx,
		&kinesis.DescribeStreamSummaryInput{StreamName: bad})
	failsWith("ValidationException", err)
	_, err = client.PutRecord(ctx,
		&kinesis.PutRecordInput{StreamName: name, Data: []byte("x"),
			PartitionKey: aws.String(strings.Repeat("k", 257))})
	failsWith("ValidationException", err)
	return ""
}

func pagesThroughLists() string {
	var streams []string
	pages := kinesis.NewListStreamsPaginator(client,
		&kinesis.ListStreamsInput{Limit: aws.Int32(1)})
	for pages.HasMorePages() {
		page := must(pages.NextPage(ctx))
		streams = append(streams, page.StreamNames...)
		for _, each := range page.StreamSummaries {
			isNow(each.StreamCreationTimestamp)
		}
	}
	equal(streams,
		[]string{"compat-main", "compat-on-demand", "compat-reshard"})
	var listed []string
	input := &kinesis.ListShardsInput{
		StreamName: aws.String(mainStream), MaxResults: aws.Int32(4)}
	for input != nil {
		page := must(client.ListShards(ctx, input))
		check(len(page.Shards) <= 4, "a page of more than 4")
		listed = append(listed, ids(page.Shards)...)
		input = nil
		if page.NextToken != nil {
			input = &kinesis.ListShardsInput{
				NextToken: page.NextToken, MaxResults: aws.Int32(4)}
		}
	}
	equal(listed, ids(shardsOf(mainStream, "")))
	equal(len(listed), 6)
	return ""
}

func isThrottledAndRetries() string {
	limited := os.Getenv("TRIREME_LIMITED_URL")
	if limited == "" {
		return "not with this server"
	}
	name := "compat-throttled"
	hasty, patient := newClient(limited, 1), newClient(limited, 12)
	create(patient, name, 1)
	input := &kinesis.PutRecordInput{StreamName: &name,
		PartitionKey: aws.String("big"), Data: make([]byte, 1000000)}
	var thrown error
	// A shard may take some MiB at once before its rate counts.
	for i := 0; i < 40 && thrown == nil; i++ {
		_, thrown = hasty.PutRecord(ctx, input)
	}
	fails[*types.ProvisionedThroughputExceededException](nil, thrown)
	var entries []types.PutRecordsRequestEntry
	for i := 0; i < 9; i++ {
		entries = append(entries, types.PutRecordsRequestEntry{
			PartitionKey: aws.String("big"), Data: input.Data})
	}
	batch := must(hasty.PutRecords(ctx, &kinesis.PutRecordsInput{
		StreamName: &name, Records: entries}))
	throttled := int32(0)
	for _, entry := range batch.Records {
		if aws.ToString(entry.ErrorCode) ==
			"ProvisionedThroughputExceededException" {
			throttled++
		}
	}
	check(throttled > 0, "a batch was not throttled")
	equal(throttled, *batch.FailedRecordCount)
	input.Data = make([]byte, 500000)
	attempts := 0
	for i := 0; i < 4; i++ {
		answer := must(patient.PutRecord(ctx, input))
		results, _ := retry.GetAttemptResults(answer.ResultMetadata)
		attempts += len(results.Results)
	}
	check(attempts > 4, "nothing was retried")
	return ""
}

func deletesStreams() string {
	name := aws.String(mainStream)
	fails[*types.ResourceInUseException](client.DeleteStream(ctx,
		&kinesis.DeleteStreamInput{StreamName: name}))
	must(client.DeleteStream(ctx, &kinesis.DeleteStreamInput{
		StreamName: name, EnforceConsumerDeletion: aws.Bool(true)}))
	waiter := kinesis.NewStreamNotExistsWaiter(client)
	err := waiter.Wait(ctx, &kinesis.DescribeStreamInput{StreamName: name},
		30*time.Second, func(options *kinesis.StreamNotExistsWaiterOptions) {
			options.MinDelay = time.Second
			options.MaxDelay = time.Second
		})
	check(err == nil, "%v", err)
	return ""
}
