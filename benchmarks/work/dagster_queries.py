"""What Dagster's pages ask of its webserver (dagster-webserver 1.13): the fields that cost something.

`asset` is asked by the graph and by an asset's page, `health` by the head of that page, and `partitions` by
its tab of partitions.
"""

_ASSET = """
query ($assetKeys: [AssetKeyInput!]!) {
  assetNodes(assetKeys: $assetKeys, loadMaterializations: true) {
    id opNames groupName jobNames
    assetMaterializations(limit: 1) { timestamp runId }
    assetObservations(limit: 1) { timestamp runId }
    assetChecksOrError { ... on AssetChecks { checks { name executionForLatestMaterialization { status } } } }
    partitionDefinition { description dimensionTypes { type dynamicPartitionsDefinitionName } }
    partitionStats { numMaterialized numMaterializing numPartitions numFailed }
  }
  assetsLatestInfo(assetKeys: $assetKeys) { id unstartedRunIds inProgressRunIds latestRun { id status } }
}
"""
_HEALTH = """
query ($assetKeys: [AssetKeyInput!]!) {
  assetsOrError(assetKeys: $assetKeys) { ... on AssetConnection { nodes {
    id latestMaterializationTimestamp
    assetHealth { assetHealth materializationStatus assetChecksStatus freshnessStatus }
  } } }
}
"""
_RANGES = "ranges { status startTime endTime startKey endKey }"
_KEYS = "materializedPartitions materializingPartitions failedPartitions"
_PARTITIONS = f"""
query ($assetKey: AssetKeyInput!) {{ assetNodeOrError(assetKey: $assetKey) {{ ... on AssetNode {{
  id
  partitionStats {{ numMaterialized numPartitions }}
  partitionKeysByDimension {{ name type partitionKeys }}
  assetPartitionStatuses {{
    ... on MultiPartitionStatuses {{
      primaryDimensionName
      ranges {{
        primaryDimStartKey primaryDimEndKey primaryDimStartTime primaryDimEndTime
        secondaryDim {{
          ... on TimePartitionStatuses {{ {_RANGES} }}
          ... on DefaultPartitionStatuses {{ {_KEYS} }}
        }}
      }}
    }}
  }}
}} }} }}
"""
PAGES = {"asset": _ASSET, "health": _HEALTH, "partitions": _PARTITIONS}
"""The queries, by what asks them."""
SENSOR_TICK = """
mutation ($sensor: SensorSelector!) {
  sensorDryRun(selectorData: $sensor, cursor: null) {
    __typename
    ... on DryRunInstigationTick { evaluationResult { skipReason error { message } } }
    ... on PythonError { message }
  }
}
"""
"""One tick of a sensor, as the UI's button for a test of it asks for it."""
