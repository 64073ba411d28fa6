"""What is going to be made in the cloud, is being made and was made, in words."""

from ..account.plan import AddTopology, CreateProduct, ImportModel, Plan, RegisterDevices, Step, kind_of
from ..account.run import Run
from ..generated_model import GeneratedModel
from .labels import Labels
from .markdown import Markdown, bullets as all_bullets, escaped, paragraphs
from .model_texts import bullets


def policy_in_words(labels: Labels, policy: str) -> Markdown:
    """Return a RAM policy to copy, which is collapsed at first. Without blank lines, it is one block of HTML."""
    title = labels.text("common.account_policy")
    return Markdown(f"<details><summary>{title}</summary><pre><code>{policy}</code></pre></details>")


def step_in_words(labels: Labels, step: Step) -> str:
    """Return one step, such as `Create the product Home (gateway)`."""
    details = {"product": step.product}
    kind = kind_of(step)
    match step:
        case CreateProduct(gateway=gateway):
            details["type"] = labels.text(f"selector.node_type.options.{'gateway' if gateway else 'device'}")
        case ImportModel(module=module, properties=properties):
            details["properties"] = str(properties)
            if module:
                kind = "import_module"
                details["module"] = module
        case RegisterDevices(names=names):
            details |= {"count": str(len(names)), "names": labels.listed(names)}
        case AddTopology(name=name, sub_devices=sub_devices):
            listed = labels.listed(device_name for _, device_name in sub_devices)
            details |= {"name": name, "count": str(len(sub_devices)), "names": listed}
    return labels.text(f"common.account_{kind}", **details)


def plan_in_words(labels: Labels, plan: Plan, generated: GeneratedModel | None, difference: Markdown) -> Markdown:
    """Return all steps, and below them what changes in thing models and the properties that are bound."""
    steps = Markdown(
        "\n".join(f"{number}. {escaped(step_in_words(labels, step))}" for number, step in enumerate(plan.steps, 1))
    )
    bound = [
        labels.property(row["identifier"], generated.model.properties.get(row["identifier"]) if generated else None)
        for subentry in plan.purpose["subentries"]
        for row in subentry["data"]["bindings"]
    ]
    left_out = [
        labels.text("common.model_left_out", identifier=binding.identifier)
        for binding in (generated.left_out if generated else ())
    ]
    return paragraphs(
        (
            steps,
            difference,
            labels.markdown("common.account_bound", count=str(len(bound)), list=bullets(labels, bound))
            if bound
            else "",
            bullets(labels, left_out) if left_out else "",
        )
    )


def made_in_words(labels: Labels, run: Run) -> Markdown:
    """Return what a run has made, or may have made, and which thing models it has changed."""
    lines: list[str] = []
    keys = run.keys()
    devices: dict[tuple[str, bool], list[str]] = {}
    for made in run.made():
        if made.device:
            devices.setdefault((made.product, made.certain), []).append(made.device)
        else:
            key = "common.account_made_product" if made.certain else "common.account_maybe_product"
            lines.append(labels.text(key, product=made.product, product_key=keys.get(made.product, "")))
    for (product, certain), names in devices.items():
        key = "common.account_made_devices" if certain else "common.account_maybe_devices"
        lines.append(labels.text(key, product=product, names=labels.listed(names)))
    lines += [labels.text("common.account_made_model", product=product) for product in run.changed()]
    return all_bullets(lines) if lines else Markdown(labels.text("common.account_made_nothing"))
