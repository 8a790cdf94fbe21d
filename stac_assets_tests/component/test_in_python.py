"""The component's attributes, what `translation` changes of assets, and what a subclass may override."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import dagster as dg
import pytest

from stac_assets import StacCatalogComponent
from stac_assets.orchestration.loading import Report
from stac_assets.orchestration.specs import EndpointAsset
from stac_assets.settings.model import SETTINGS
from stac_assets.source.request import LoadRequest
from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.loads import QUICK
from stac_assets_tests.reading import query
from stac_assets_tests.stac_api import StacApi, make_item

KEY = "c1|2024-01-01"
PREFIXED = "translation: {key_prefix: [raw, stac], group_name: bronze, tags: {of: '{{ endpoint }}'}}"
NOT_IN_YAML = {"request_modifier", "destination"}


def component(text: str, of: type[StacCatalogComponent] = StacCatalogComponent) -> StacCatalogComponent:
    """A component as Dagster makes it of a YAML document's attributes."""
    return of.resolve_from_yaml(text)


def definitions(made: StacCatalogComponent) -> dg.Definitions:
    return made.build_defs(cast(Any, None))


def attributes(api: StacApi, *lines: str) -> str:
    """A catalog `east` of an API, with some settings that make a load quick."""
    given = {"name": "east", "base_url": api.url, "collections": "c1", "end_date": "2024-01-02", **QUICK}
    return "\n".join([*(f"{name}: {value!r}" for name, value in given.items()), *lines])


def run(made: dg.Definitions, instance: dg.DagsterInstance, key: str) -> dg.ExecuteInProcessResult:
    job = made.resolve_implicit_global_asset_job_def()
    selected = [dg.AssetKey.from_user_string(key)]
    return job.execute_in_process(instance=instance, asset_selection=selected, partition_key=KEY)


@pytest.fixture
def api(api: StacApi) -> StacApi:
    api.put(make_item("a", "c1", "2024-01-01T10:00:00Z"))
    return api


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def test_each_setting_of_a_catalog_is_an_attribute_with_its_sentence() -> None:
    fields = StacCatalogComponent.model().model_fields
    expected = {name for name, setting in SETTINGS.items() if setting.is_argument} - NOT_IN_YAML
    assert fields.keys() - {"name", "translation"} == expected
    for name in expected:
        assert SETTINGS[name].sentence in str(fields[name].description)
    assert fields["name"].is_required()
    assert not any(field.is_required() for name, field in fields.items() if name != "name")


@pytest.mark.usefixtures("project")
def test_values_are_read_as_everywhere() -> None:
    made = component("""
name: east
base_url: http://127.0.0.1:1/stac/
api_key: "{{ 'se' ~ 'cret' }}"
headers: {x-tenant: mine}
start_date: 2024-01-05
bbox: [1, 2, 3, 4.5]
query: {"eo:cloud_cover": {lt: 10}}
page_size: 50
confirm_shrunk: false
granularity: monthly
""")
    settings = made.catalog.settings
    assert (str(settings.start_date), settings.bbox, settings.page_size) == ("2024-01-05", (1, 2, 3, 4.5), 50)
    assert (settings.api_key, settings.headers, settings.collections) == ("secret", {"x-tenant": "mine"}, "*")
    assert settings.query == {"eo:cloud_cover": {"lt": 10}}
    assert not settings.confirm_shrunk
    assert "secret" not in repr(made)
    assert "mine" not in repr(made)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{name: East, base_url: http://127.0.0.1:1}", "a catalog's name is 'East'"),
        ("{name: east}", r"no catalog 'east'.* a `base_url` or a `preset`"),
        ("{name: east, preset: nowhere}", "preset is 'nowhere'"),
        ("{name: east, preset: cdse, granularity: hourly}", "granularity is 'hourly'; expected one of daily"),
        ("{name: east, preset: cdse, page_size: 0}", "page_size is 0; expected a number"),
    ],
)
def test_what_cannot_be_used_is_named(text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        definitions(component(text))


@pytest.mark.usefixtures("project")
def test_what_translation_changes_holds_everywhere(api: StacApi, instance: dg.DagsterInstance) -> None:
    made = definitions(component(attributes(api, PREFIXED)))
    graph, repository = made.resolve_asset_graph(), made.get_repository_def()
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert len(keys) == 10
    assert {key.rpartition("/")[0] for key in keys} == {"raw/stac/east"}
    assert {graph.get(key).group_name for key in graph.get_all_asset_keys()} == {"bronze"}
    for key in map(dg.AssetKey.from_user_string, sorted(keys)):
        assert all(parent in graph.get_all_asset_keys() for parent in graph.get(key).parent_keys)
        assert graph.get(key).tags["of"] == key.path[-1]
    for each in (*repository.sensor_defs, *repository.get_all_jobs()):
        selection = getattr(each, "asset_selection", None)
        if selection is not None:
            assert selection.resolve(graph)
    job = repository.get_job("east_items_job")
    assert [key.to_user_string() for key in job.asset_layer.executable_asset_keys] == ["raw/stac/east/search"]

    result = run(made, instance, "raw/stac/east/search")
    events = result.get_asset_materialization_events()
    assert [
        (str(event.asset_key and event.asset_key.to_user_string()), event.partition) for event in events
    ] == [("raw/stac/east/search", KEY)]
    evaluations = result.get_asset_check_evaluations()
    assert {each.asset_key.to_user_string() for each in evaluations} == {"raw/stac/east/search"}
    assert query("SELECT id FROM east.search") == [{"id": "a"}]


class Careful(StacCatalogComponent):
    """Tags its assets, and tells when a load begins and ends."""

    def get_asset_spec(self, asset: EndpointAsset) -> dg.AssetSpec:
        return super().get_asset_spec(asset).merge_attributes(tags={"team": "geo"})

    def execute(self, context: dg.AssetExecutionContext, request: LoadRequest) -> Iterator[Report]:
        context.log.info(f"begins with {request.endpoint.name}")
        yield from super().execute(context, request)
        context.log.info(f"ends with {self.catalog.name}")


@pytest.mark.usefixtures("project")
def test_a_subclass_changes_what_an_asset_is_and_does(api: StacApi, instance: dg.DagsterInstance) -> None:
    made = definitions(component(attributes(api), Careful))
    graph = made.resolve_asset_graph()
    assert {graph.get(key).tags["team"] for key in graph.get_all_asset_keys()} == {"geo"}
    result = run(made, instance, "east/search")
    said = [str(record.user_message) for record in instance.all_logs(result.run_id)]
    assert [line for line in said if line in {"begins with search", "ends with east"}] == [
        "begins with search",
        "ends with east",
    ]
    assert query("SELECT id FROM east.search") == [{"id": "a"}]


class Repartitioned(StacCatalogComponent):
    """Gives its assets other partitions, which cannot be loaded."""

    def get_asset_spec(self, asset: EndpointAsset) -> dg.AssetSpec:
        weekly = dg.WeeklyPartitionsDefinition(start_date="2024-01-01")
        return super().get_asset_spec(asset).replace_attributes(partitions_def=weekly)


def test_other_partitions_are_refused(project: Path) -> None:
    assert project.exists()
    with pytest.raises(ConfigurationError, match="was given other partitions"):
        definitions(component("{name: east, preset: cdse}", Repartitioned))
