"""The threads of the language model."""

from pieces_orm.server.languages import content


def test_threads_of_the_model_do_not_spin_while_they_wait():
    options = content._model()._onnx_session.get_session_options()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
