# Needs  results/{scale}/data/{dataset}/items.parquet
#        results/{scale}/priors/{dataset}/{prior}/{prior_source}/{sigma}/seed{replicate}.safetensors
# Gives  results/{scale}/likelihood/{dataset}/{prior}/{prior_source}/seed{replicate}.parquet, .denoised.parquet, .maps.npy


rule evaluate_prior:
    """Measure log-likelihoods of every source, the mix, constants and noise under the priors of one source; denoise it."""
    input:
        script=script("evaluate_prior"),
        code=library_of_prior("evaluate_prior"),
        data=paths.output("make_data", "data"),
        priors=asks(inputs.models),
    output:
        **paths.outputs("evaluate_prior"),
    log:
        paths.log("evaluate_prior"),
    benchmark:
        paths.benchmark("evaluate_prior")
    conda:
        "../../envs/audiopriors.yaml"
    threads: threads_of
    resources:
        gpu=gpu,
        mem_mb=memory,
        runtime=minutes("evaluate_minutes"),
    params:
        settings=settings("evaluate_prior"),
    shell:
        "python {input.script:q} --settings {params.settings:q} --data {input.data:q} --priors {input.priors:q} "
        "--output {output.measures:q} --denoised {output.denoised:q} --maps {output.maps:q} > {log:q} 2>&1"
