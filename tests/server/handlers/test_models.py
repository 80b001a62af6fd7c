"""The list of models, in which programs look for one."""

from tests.server.support import valid


def test_programs_find_the_models_that_they_look_for(shared):
    models = shared.get("/models")["iterable"]
    found = {model["unique"]: model for model in models}
    assert found.keys() >= {
        "gemini-2.0-flash-lite-001", "o4-mini-2025-04-16", "gpt-4o", "gpt-4o-mini", "claude-3-5-sonnet-20241022",
    }  # fmt: skip
    assert len(found) == len({model["id"] for model in models}) == len({model["name"] for model in models}) > 20
    assert {"GPT-3.5-turbo Chat Model", "GPT-4o Chat Model"} <= {model["name"] for model in models}
    assert all(model["cloud"] for model in models)  # programs offer only those of the cloud, and downloaded ones
    for model in models:
        assert shared.get(f"/model/{model['id']}") == model
        valid("Model", model)


def test_the_id_of_a_model_stays(shared):
    by_name = {model["name"]: model["id"] for model in shared.get("/models")["iterable"]}
    assert by_name["GPT-4o Chat Model"] == "0c9bc76d-6ec3-53f6-93dc-5c4290663590"
