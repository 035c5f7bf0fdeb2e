// Made by `Tools/parity/make_timm_vits.py --swift` from timm 1.0.31; do not edit.
//
// Top-1 accuracies: results/results-imagenet.csv of github.com/huggingface/pytorch-image-models, timm's own measurements
// with the preprocessing that the row names.

extension PublishedTransformers {
    /// A line for each weights, an architecture's default first: name, classes, mean and standard deviation,
    /// interpolation, `crop_pct`, `crop_mode`, license, Hub repository or URL (`=` is `timm/NAME`), top-1 in per cent.
    static let table = """
        vit_7b_patch16_dinov3.lvd1689m 0 imagenet bicubic 1 center dinov3-license = -
        vit_7b_patch16_dinov3.sat493m 0 satellite bicubic 1 center dinov3-license = -
        vit_base_patch8_224.augreg2_in21k_ft_in1k 1000 half bicubic 0.9 center apache-2.0 = 86.252
        vit_base_patch8_224.augreg_in21k 21843 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch8_224.augreg_in21k_ft_in1k 1000 half bicubic 0.9 center apache-2.0 = 85.838
        vit_base_patch8_224.dino 0 imagenet bicubic 0.9 center apache-2.0 = -
        vit_base_patch14_dinov2.lvd142m 0 imagenet bicubic 1 center apache-2.0 = -
        vit_base_patch14_reg1_tipsv2.webli 0 none bicubic 1 center apache-2.0 = -
        vit_base_patch14_reg4_dinov2.lvd142m 0 imagenet bicubic 1 center apache-2.0 = -
        vit_base_patch16_224.augreg2_in21k_ft_in1k 1000 half bicubic 0.9 center apache-2.0 = 85.108
        vit_base_patch16_224.augreg_in1k 1000 half bicubic 0.9 center apache-2.0 = 79.154
        vit_base_patch16_224.augreg_in21k 21843 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_224.augreg_in21k_ft_in1k 1000 half bicubic 0.9 center apache-2.0 = 84.534
        vit_base_patch16_224.bamboo 115217 clip bicubic 1 center - = -
        vit_base_patch16_224.dino 0 imagenet bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_224.mae 0 imagenet bicubic 0.9 center cc-by-nc-4.0 = -
        vit_base_patch16_224.orig_in21k 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_224.orig_in21k_ft_in1k 1000 half bicubic 0.9 center apache-2.0 = 81.782
        vit_base_patch16_224.sam_in1k 1000 half bicubic 0.9 center apache-2.0 = 80.246
        vit_base_patch16_224_miil.in21k 11221 none bilinear 0.875 center apache-2.0 = -
        vit_base_patch16_224_miil.in21k_ft_in1k 1000 none bilinear 0.875 center apache-2.0 = 84.278
        vit_base_patch16_384.augreg_in21k_ft_in1k 1000 half bicubic 1 center apache-2.0 = 86.01
        vit_base_patch16_384.augreg_in1k 1000 half bicubic 1 center apache-2.0 = 81.102
        vit_base_patch16_384.orig_in21k_ft_in1k 1000 half bicubic 1 center apache-2.0 = 84.212
        vit_base_patch16_clip_224.laion2b_ft_in12k_in1k 1000 clip bicubic 0.95 center apache-2.0 = 86.204
        vit_base_patch16_clip_224.datacompxl 512 clip bicubic 1 center apache-2.0 = -
        vit_base_patch16_clip_224.dfn2b 512 clip bicubic 1 center apple-ascl = -
        vit_base_patch16_clip_224.laion2b 512 clip bicubic 1 center apache-2.0 = -
        vit_base_patch16_clip_224.laion2b_ft_in1k 1000 clip bicubic 1 center apache-2.0 = 85.488
        vit_base_patch16_clip_224.laion2b_ft_in12k 11821 clip bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_clip_224.laion400m_e32 512 clip bicubic 1 center mit = -
        vit_base_patch16_clip_224.metaclip_2pt5b 512 clip bicubic 1 center cc-by-nc-4.0 = -
        vit_base_patch16_clip_224.metaclip_400m 512 clip bicubic 1 center cc-by-nc-4.0 = -
        vit_base_patch16_clip_224.openai 512 clip bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_clip_224.openai_ft_in1k 1000 clip bicubic 0.9 center apache-2.0 = 85.282
        vit_base_patch16_clip_224.openai_ft_in12k 11821 clip bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_clip_224.openai_ft_in12k_in1k 1000 clip bicubic 0.95 center apache-2.0 = 85.954
        vit_base_patch16_clip_384.laion2b_ft_in12k_in1k 1000 clip bicubic 1 squash apache-2.0 = 87.21
        vit_base_patch16_clip_384.laion2b_ft_in1k 1000 clip bicubic 1 squash apache-2.0 = 86.638
        vit_base_patch16_clip_384.openai_ft_in1k 1000 clip bicubic 1 squash apache-2.0 = 86.21
        vit_base_patch16_clip_384.openai_ft_in12k_in1k 1000 clip bicubic 0.95 squash apache-2.0 = 87.03
        vit_base_patch16_clip_quickgelu_224.metaclip_2pt5b 512 clip bicubic 1 center cc-by-nc-4.0 timm/vit_base_patch16_clip_224.metaclip_2pt5b -
        vit_base_patch16_clip_quickgelu_224.metaclip_400m 512 clip bicubic 1 center cc-by-nc-4.0 timm/vit_base_patch16_clip_224.metaclip_400m -
        vit_base_patch16_clip_quickgelu_224.openai 512 clip bicubic 0.9 center apache-2.0 timm/vit_base_patch16_clip_224.openai -
        vit_base_patch16_dinov3.lvd1689m 0 imagenet bicubic 1 center dinov3-license = -
        vit_base_patch16_dinov3_qkvb.lvd1689m 0 imagenet bicubic 1 center dinov3-license = -
        vit_base_patch16_dinov3_qkvb.eupe_lvd1689m 0 imagenet bicubic 1 center fair-noncommercial-research-license = -
        vit_base_patch16_lingbot.robbyant 0 imagenet bilinear 1 squash apache-2.0 belfner/vit_base_patch16_lingbot.robbyant -
        vit_base_patch16_plus_clip_240.laion400m_e32 640 clip bicubic 1 center mit = -
        vit_base_patch16_radio_v3.c_radio 0 clip bicubic 1 center nvidia-open-model-license = -
        vit_base_patch16_rpn_224.sw_in1k 1000 half bicubic 0.9 center apache-2.0 = 82.218
        vit_base_patch16_siglip_224.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_224.webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_256.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_256.webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_256.webli_i18n 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_384.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_384.webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_512.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_512.webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_gap_224.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_gap_224.webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_gap_256.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_gap_256.webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_gap_256.webli_i18n 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_gap_384.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_gap_384.webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_gap_512.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch16_siglip_gap_512.webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch32_224.augreg_in21k_ft_in1k 1000 half bicubic 0.9 center apache-2.0 = 80.732
        vit_base_patch32_224.augreg_in1k 1000 half bicubic 0.9 center apache-2.0 = 74.908
        vit_base_patch32_224.augreg_in21k 21843 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch32_224.orig_in21k 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch32_224.sam_in1k 1000 half bicubic 0.9 center apache-2.0 = 73.704
        vit_base_patch32_384.augreg_in21k_ft_in1k 1000 half bicubic 1 center apache-2.0 = 83.358
        vit_base_patch32_384.augreg_in1k 1000 half bicubic 1 center apache-2.0 = 78.75
        vit_base_patch32_clip_224.laion2b_ft_in12k_in1k 1000 clip bicubic 0.9 center apache-2.0 = 83.304
        vit_base_patch32_clip_224.datacompxl 512 clip bicubic 1 center apache-2.0 = -
        vit_base_patch32_clip_224.laion2b 512 clip bicubic 0.9 center apache-2.0 = -
        vit_base_patch32_clip_224.laion2b_ft_in1k 1000 clip bicubic 0.9 center apache-2.0 = 82.614
        vit_base_patch32_clip_224.laion400m_e32 512 clip bicubic 0.9 center mit = -
        vit_base_patch32_clip_224.metaclip_2pt5b 512 clip bicubic 1 center cc-by-nc-4.0 = -
        vit_base_patch32_clip_224.metaclip_400m 512 clip bicubic 1 center cc-by-nc-4.0 = -
        vit_base_patch32_clip_224.openai 512 clip bicubic 0.9 center apache-2.0 = -
        vit_base_patch32_clip_224.openai_ft_in1k 1000 clip bicubic 0.9 center apache-2.0 = 81.944
        vit_base_patch32_clip_256.datacompxl 512 clip bicubic 1 center apache-2.0 = -
        vit_base_patch32_clip_384.laion2b_ft_in12k_in1k 1000 clip bicubic 1 center apache-2.0 = 85.398
        vit_base_patch32_clip_384.openai_ft_in12k_in1k 1000 clip bicubic 0.95 squash apache-2.0 = 85.218
        vit_base_patch32_clip_448.laion2b_ft_in12k_in1k 1000 clip bicubic 1 center apache-2.0 = 85.792
        vit_base_patch32_clip_quickgelu_224.laion400m_e32 512 clip bicubic 0.9 center mit timm/vit_base_patch32_clip_224.laion400m_e32 -
        vit_base_patch32_clip_quickgelu_224.metaclip_2pt5b 512 clip bicubic 1 center cc-by-nc-4.0 timm/vit_base_patch32_clip_224.metaclip_2pt5b -
        vit_base_patch32_clip_quickgelu_224.metaclip_400m 512 clip bicubic 1 center cc-by-nc-4.0 timm/vit_base_patch32_clip_224.metaclip_400m -
        vit_base_patch32_clip_quickgelu_224.openai 512 clip bicubic 0.9 center apache-2.0 timm/vit_base_patch32_clip_224.openai -
        vit_base_patch32_siglip_256.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_base_patch32_siglip_gap_256.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_betwixt_patch16_reg1_gap_256.sbb_in1k 1000 half bicubic 0.95 center apache-2.0 = 83.652
        vit_betwixt_patch16_reg4_gap_256.sbb2_e200_in12k_ft_in1k 1000 half bicubic 0.95 center apache-2.0 = 85.734
        vit_betwixt_patch16_reg4_gap_256.sbb2_e200_in12k 11821 half bicubic 0.95 center apache-2.0 = -
        vit_betwixt_patch16_reg4_gap_256.sbb_in1k 1000 half bicubic 0.95 center apache-2.0 = 83.71
        vit_betwixt_patch16_reg4_gap_256.sbb_in12k 11821 half bicubic 0.95 center apache-2.0 = -
        vit_betwixt_patch16_reg4_gap_256.sbb_in12k_ft_in1k 1000 half bicubic 0.95 center apache-2.0 = 85.426
        vit_betwixt_patch16_reg4_gap_384.sbb2_e200_in12k_ft_in1k 1000 half bicubic 1 center apache-2.0 = 86.618
        vit_betwixt_patch32_clip_224.tinyclip_laion400m 512 clip bicubic 0.9 center mit = -
        vit_giant_patch14_clip_224.laion2b 1024 clip bicubic 1 center apache-2.0 = -
        vit_giant_patch14_dinov2.lvd142m 0 imagenet bicubic 1 center apache-2.0 = -
        vit_giant_patch14_reg1_tipsv2.webli 0 none bicubic 1 center apache-2.0 = -
        vit_giant_patch14_reg4_dinov2.lvd142m 0 imagenet bicubic 1 center apache-2.0 = -
        vit_giant_patch16_gap_224.in22k_ijepa 0 imagenet bicubic 0.9 center cc-by-nc-4.0 https://dl.fbaipublicfiles.com/ijepa/IN22K-vit.g.16-600e.pth.tar -
        vit_giant_patch16_lingbot.robbyant 0 imagenet bilinear 1 squash apache-2.0 belfner/vit_giant_patch16_lingbot.robbyant -
        vit_giant_patch16_radio_v3.c_radio 0 clip bicubic 1 center nvidia-open-model-license = -
        vit_giantopt_patch16_siglip_256.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_giantopt_patch16_siglip_384.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_giantopt_patch16_siglip_gap_256.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_giantopt_patch16_siglip_gap_384.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_gigantic_patch14_clip_224.laion2b 1280 clip bicubic 1 center apache-2.0 = -
        vit_gigantic_patch14_clip_224.metaclip2_worldwide 1280 clip bicubic 1 center cc-by-nc-4.0 = -
        vit_gigantic_patch14_clip_224.metaclip_2pt5b 1280 clip bicubic 1 center cc-by-nc-4.0 = -
        vit_gigantic_patch14_clip_378.metaclip2_worldwide 1280 clip bicubic 1 squash cc-by-nc-4.0 = -
        vit_gigantic_patch14_clip_quickgelu_224.metaclip_2pt5b 1280 clip bicubic 1 center cc-by-nc-4.0 timm/vit_gigantic_patch14_clip_224.metaclip_2pt5b -
        vit_huge_patch14_224.orig_in21k 0 half bicubic 0.9 center apache-2.0 = -
        vit_huge_patch14_224.mae 0 imagenet bicubic 0.9 center cc-by-nc-4.0 = -
        vit_huge_patch14_clip_224.laion2b_ft_in12k_in1k 1000 clip bicubic 1 center apache-2.0 = 88.288
        vit_huge_patch14_clip_224.dfn5b 1024 clip bicubic 1 center apple-ascl = -
        vit_huge_patch14_clip_224.laion2b 1024 clip bicubic 1 center apache-2.0 = -
        vit_huge_patch14_clip_224.laion2b_ft_in1k 1000 clip bicubic 1 center apache-2.0 = 87.612
        vit_huge_patch14_clip_224.laion2b_ft_in12k 11821 clip bicubic 1 center apache-2.0 = -
        vit_huge_patch14_clip_224.metaclip2_worldwide 1024 clip bicubic 1 center cc-by-nc-4.0 = -
        vit_huge_patch14_clip_224.metaclip_2pt5b 1024 clip bicubic 1 center cc-by-nc-4.0 = -
        vit_huge_patch14_clip_224.metaclip_altogether 1024 clip bicubic 1 center cc-by-nc-4.0 = -
        vit_huge_patch14_clip_336.laion2b_ft_in12k_in1k 1000 clip bicubic 1 squash apache-2.0 = 88.634
        vit_huge_patch14_clip_378.dfn5b 1024 clip bicubic 1 center apple-ascl = -
        vit_huge_patch14_clip_378.metaclip2_worldwide 1024 clip bicubic 1 squash cc-by-nc-4.0 = -
        vit_huge_patch14_clip_quickgelu_224.dfn5b 1024 clip bicubic 1 center apple-ascl timm/vit_huge_patch14_clip_224.dfn5b -
        vit_huge_patch14_clip_quickgelu_224.metaclip2_worldwide 1024 clip bicubic 1 center cc-by-nc-4.0 timm/vit_huge_patch14_clip_224.metaclip2_worldwide -
        vit_huge_patch14_clip_quickgelu_224.metaclip_2pt5b 1024 clip bicubic 1 center cc-by-nc-4.0 timm/vit_huge_patch14_clip_224.metaclip_2pt5b -
        vit_huge_patch14_clip_quickgelu_378.dfn5b 1024 clip bicubic 1 center apple-ascl timm/vit_huge_patch14_clip_378.dfn5b -
        vit_huge_patch14_gap_224.in1k_ijepa 0 imagenet bicubic 0.9 center cc-by-nc-4.0 https://dl.fbaipublicfiles.com/ijepa/IN1K-vit.h.14-300e.pth.tar -
        vit_huge_patch14_gap_224.in22k_ijepa 0 imagenet bicubic 0.9 center cc-by-nc-4.0 https://dl.fbaipublicfiles.com/ijepa/IN22K-vit.h.14-900e.pth.tar -
        vit_huge_patch16_gap_448.in1k_ijepa 0 imagenet bicubic 1 center cc-by-nc-4.0 https://dl.fbaipublicfiles.com/ijepa/IN1K-vit.h.16-448px-300e.pth.tar -
        vit_huge_patch16_radio_v3.c_radio 0 clip bicubic 1 center nvidia-open-model-license = -
        vit_huge_patch16_radio_v4.c_radio 0 clip bicubic 1 center nvidia-open-model-license = -
        vit_huge_plus_patch16_dinov3.lvd1689m 0 imagenet bicubic 1 center dinov3-license = -
        vit_huge_plus_patch16_dinov3_qkvb.lvd1689m 0 imagenet bicubic 1 center dinov3-license = -
        vit_intern300m_patch14_448.ogvl_dist 0 imagenet bicubic 1 center mit = -
        vit_intern300m_patch14_448.ogvl_2pt5 0 imagenet bicubic 1 center apache-2.0 = -
        vit_large_patch14_clip_224.laion2b_ft_in12k_in1k 1000 half bicubic 1 center apache-2.0 = 87.9
        vit_large_patch14_clip_224.apple_mclip2_dfndr2b 768 clip bicubic 1 center apple-amlr = -
        vit_large_patch14_clip_224.datacompxl 768 clip bicubic 1 center apache-2.0 = -
        vit_large_patch14_clip_224.dfn2b 768 clip bicubic 1 center apple-ascl = -
        vit_large_patch14_clip_224.dfn2b_s39b 768 clip bicubic 1 center apple-ascl = -
        vit_large_patch14_clip_224.laion2b 768 half bicubic 1 center apache-2.0 = -
        vit_large_patch14_clip_224.laion2b_ft_in1k 1000 half bicubic 1 center apache-2.0 = 87.288
        vit_large_patch14_clip_224.laion2b_ft_in12k 11821 half bicubic 1 center apache-2.0 = -
        vit_large_patch14_clip_224.laion400m_e32 768 clip bicubic 1 center mit = -
        vit_large_patch14_clip_224.metaclip_2pt5b 768 clip bicubic 1 center cc-by-nc-4.0 = -
        vit_large_patch14_clip_224.metaclip_400m 768 clip bicubic 1 center cc-by-nc-4.0 = -
        vit_large_patch14_clip_224.openai 768 clip bicubic 1 center apache-2.0 = -
        vit_large_patch14_clip_224.openai_ft_in1k 1000 clip bicubic 1 center apache-2.0 = 87.858
        vit_large_patch14_clip_224.openai_ft_in12k 11821 clip bicubic 1 center apache-2.0 = -
        vit_large_patch14_clip_224.openai_ft_in12k_in1k 1000 clip bicubic 1 center apache-2.0 = 88.162
        vit_large_patch14_clip_336.laion2b_ft_in12k_in1k 1000 half bicubic 1 squash apache-2.0 = 88.19
        vit_large_patch14_clip_336.laion2b_ft_in1k 1000 half bicubic 1 squash apache-2.0 = 87.87
        vit_large_patch14_clip_336.openai 768 clip bicubic 1 center apache-2.0 = -
        vit_large_patch14_clip_336.openai_ft_in12k_in1k 1000 clip bicubic 1 squash apache-2.0 = 88.26
        vit_large_patch14_clip_quickgelu_224.dfn2b 768 clip bicubic 1 center apple-ascl timm/vit_large_patch14_clip_224.dfn2b -
        vit_large_patch14_clip_quickgelu_224.metaclip_2pt5b 768 clip bicubic 1 center cc-by-nc-4.0 timm/vit_large_patch14_clip_224.metaclip_2pt5b -
        vit_large_patch14_clip_quickgelu_224.metaclip_400m 768 clip bicubic 1 center cc-by-nc-4.0 timm/vit_large_patch14_clip_224.metaclip_400m -
        vit_large_patch14_clip_quickgelu_224.openai 768 clip bicubic 1 center apache-2.0 timm/vit_large_patch14_clip_224.openai -
        vit_large_patch14_clip_quickgelu_336.openai 768 clip bicubic 1 center apache-2.0 timm/vit_large_patch14_clip_336.openai -
        vit_large_patch14_dinov2.lvd142m 0 imagenet bicubic 1 center apache-2.0 = -
        vit_large_patch14_reg1_tipsv2.webli 0 none bicubic 1 center apache-2.0 = -
        vit_large_patch14_reg4_dinov2.lvd142m 0 imagenet bicubic 1 center apache-2.0 = -
        vit_large_patch16_224.augreg_in21k_ft_in1k 1000 half bicubic 0.9 center apache-2.0 = 85.856
        vit_large_patch16_224.augreg_in21k 21843 half bicubic 0.9 center apache-2.0 = -
        vit_large_patch16_224.mae 0 imagenet bicubic 0.9 center cc-by-nc-4.0 = -
        vit_large_patch16_224.orig_in21k 0 half bicubic 0.9 center apache-2.0 = -
        vit_large_patch16_384.augreg_in21k_ft_in1k 1000 half bicubic 1 center apache-2.0 = 87.096
        vit_large_patch16_dinov3.lvd1689m 0 imagenet bicubic 1 center dinov3-license = -
        vit_large_patch16_dinov3.sat493m 0 satellite bicubic 1 center dinov3-license = -
        vit_large_patch16_dinov3_qkvb.lvd1689m 0 imagenet bicubic 1 center dinov3-license = -
        vit_large_patch16_dinov3_qkvb.sat493m 0 satellite bicubic 1 center dinov3-license = -
        vit_large_patch16_lingbot.robbyant 0 imagenet bilinear 1 squash apache-2.0 belfner/vit_large_patch16_lingbot.robbyant -
        vit_large_patch16_radio_v3.c_radio 0 clip bicubic 1 center nvidia-open-model-license = -
        vit_large_patch16_siglip_256.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_large_patch16_siglip_256.webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_large_patch16_siglip_384.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_large_patch16_siglip_384.webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_large_patch16_siglip_512.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_large_patch16_siglip_gap_256.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_large_patch16_siglip_gap_256.webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_large_patch16_siglip_gap_384.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_large_patch16_siglip_gap_384.webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_large_patch16_siglip_gap_512.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_large_patch32_224.orig_in21k 0 half bicubic 0.9 center apache-2.0 = -
        vit_large_patch32_384.orig_in21k_ft_in1k 1000 half bicubic 1 center apache-2.0 = 81.508
        vit_little_patch16_reg1_gap_256.sbb_in12k_ft_in1k 1000 half bicubic 0.95 center apache-2.0 = 83.8
        vit_little_patch16_reg1_gap_256.sbb_in12k 11821 half bicubic 0.95 center apache-2.0 = -
        vit_little_patch16_reg4_gap_256.sbb_in1k 1000 half bicubic 0.95 center apache-2.0 = 82.52
        vit_medium_patch16_clip_224.tinyclip_yfcc15m 512 clip bicubic 0.9 center mit = -
        vit_medium_patch16_gap_240.sw_in12k 11821 half bicubic 0.95 center apache-2.0 = -
        vit_medium_patch16_gap_256.sw_in12k_ft_in1k 1000 half bicubic 0.95 center apache-2.0 = 84.442
        vit_medium_patch16_gap_384.sw_in12k_ft_in1k 1000 half bicubic 0.95 squash apache-2.0 = 85.556
        vit_medium_patch16_reg1_gap_256.sbb_in1k 1000 half bicubic 0.95 center apache-2.0 = 83.462
        vit_medium_patch16_reg4_gap_256.sbb_in12k_ft_in1k 1000 half bicubic 0.95 center apache-2.0 = 84.956
        vit_medium_patch16_reg4_gap_256.sbb_in1k 1000 half bicubic 0.95 center apache-2.0 = 83.466
        vit_medium_patch16_reg4_gap_256.sbb_in12k 11821 half bicubic 0.95 center apache-2.0 = -
        vit_medium_patch32_clip_224.tinyclip_laion400m 512 clip bicubic 0.9 center mit = -
        vit_mediumd_patch16_reg4_gap_256.sbb2_e200_in12k_ft_in1k 1000 half bicubic 0.95 center apache-2.0 = 86.608
        vit_mediumd_patch16_reg4_gap_256.sbb2_e200_in12k 11821 half bicubic 0.95 center apache-2.0 = -
        vit_mediumd_patch16_reg4_gap_256.sbb_in12k 11821 half bicubic 0.95 center apache-2.0 = -
        vit_mediumd_patch16_reg4_gap_256.sbb_in12k_ft_in1k 1000 half bicubic 0.95 center apache-2.0 = 86.198
        vit_mediumd_patch16_reg4_gap_384.sbb2_e200_in12k_ft_in1k 1000 half bicubic 1 center apache-2.0 = 87.438
        vit_pwee_patch16_reg1_gap_256.sbb_in1k 1000 half bicubic 0.95 center apache-2.0 = 80.082
        vit_small_patch8_224.dino 0 imagenet bicubic 0.9 center apache-2.0 = -
        vit_small_patch14_dinov2.lvd142m 0 imagenet bicubic 1 center apache-2.0 = -
        vit_small_patch14_reg4_dinov2.lvd142m 0 imagenet bicubic 1 center apache-2.0 = -
        vit_small_patch16_224.augreg_in21k_ft_in1k 1000 half bicubic 0.9 center apache-2.0 = 81.402
        vit_small_patch16_224.augreg_in1k 1000 half bicubic 0.9 center apache-2.0 = 78.842
        vit_small_patch16_224.augreg_in21k 21843 half bicubic 0.9 center apache-2.0 = -
        vit_small_patch16_224.dino 0 imagenet bicubic 0.9 center apache-2.0 = -
        vit_small_patch16_384.augreg_in21k_ft_in1k 1000 half bicubic 1 center apache-2.0 = 83.814
        vit_small_patch16_384.augreg_in1k 1000 half bicubic 1 center apache-2.0 = 81.13
        vit_small_patch16_dinov3.lvd1689m 0 imagenet bicubic 1 center dinov3-license = -
        vit_small_patch16_dinov3_qkvb.lvd1689m 0 imagenet bicubic 1 center dinov3-license = -
        vit_small_patch16_dinov3_qkvb.eupe_lvd1689m 0 imagenet bicubic 1 center fair-noncommercial-research-license = -
        vit_small_patch16_lingbot.robbyant 0 imagenet bilinear 1 squash apache-2.0 belfner/vit_small_patch16_lingbot.robbyant -
        vit_small_patch32_224.augreg_in21k_ft_in1k 1000 half bicubic 0.9 center apache-2.0 = 76.01
        vit_small_patch32_224.augreg_in21k 21843 half bicubic 0.9 center apache-2.0 = -
        vit_small_patch32_384.augreg_in21k_ft_in1k 1000 half bicubic 1 center apache-2.0 = 80.476
        vit_small_plus_patch16_dinov3.lvd1689m 0 imagenet bicubic 1 center dinov3-license = -
        vit_small_plus_patch16_dinov3_qkvb.lvd1689m 0 imagenet bicubic 1 center dinov3-license = -
        vit_so150m2_patch16_reg1_gap_256.sbb_e200_in12k_ft_in1k 1000 half bicubic 1 center apache-2.0 = 87.318
        vit_so150m2_patch16_reg1_gap_256.sbb_e200_in12k 11821 half bicubic 1 center apache-2.0 = -
        vit_so150m2_patch16_reg1_gap_384.sbb_e200_in12k_ft_in1k 1000 half bicubic 1 center apache-2.0 = 87.932
        vit_so150m2_patch16_reg1_gap_448.sbb_e200_in12k_ft_in1k 1000 half bicubic 1 squash apache-2.0 = 88.074
        vit_so150m_patch16_reg4_gap_256.sbb_e250_in12k_ft_in1k 1000 half bicubic 0.95 center apache-2.0 = 86.72
        vit_so150m_patch16_reg4_gap_256.sbb_e250_in12k 11821 half bicubic 0.95 center apache-2.0 = -
        vit_so150m_patch16_reg4_gap_384.sbb_e250_in12k_ft_in1k 1000 half bicubic 1 center apache-2.0 = 87.37
        vit_so400m_patch14_reg1_tipsv2.webli 0 none bicubic 1 center apache-2.0 = -
        vit_so400m_patch14_siglip_224.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch14_siglip_224.webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch14_siglip_378.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch14_siglip_378.webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch14_siglip_378.webli_ft_in1k 1000 half bicubic 1 squash apache-2.0 = 89.41
        vit_so400m_patch14_siglip_384.webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_224.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_224.pali2_3b_pt 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_224.pali2_10b_pt 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_224.pali_mix 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_224.pali_pt 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_224.webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_378.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_378.webli 0 half bicubic 1 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_378.webli_ft_in1k 1000 half bicubic 1 squash apache-2.0 = 89.056
        vit_so400m_patch14_siglip_gap_384.webli 0 half bicubic 1 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_448.pali_mix 0 half bicubic 1 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_448.pali2_3b_docci 0 half bicubic 1 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_448.pali2_3b_pt 0 half bicubic 1 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_448.pali2_10b_docci 0 half bicubic 1 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_448.pali2_10b_pt 0 half bicubic 1 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_448.pali_ocrvqa 0 half bicubic 1 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_448.pali_pt 0 half bicubic 1 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_448.pali_refcoco_seg 0 half bicubic 1 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_896.pali_pt 0 half bicubic 1 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_896.pali2_3b_pt 0 half bicubic 1 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_896.pali2_10b_pt 0 half bicubic 1 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_896.pali_ocrvqa 0 half bicubic 1 center apache-2.0 = -
        vit_so400m_patch14_siglip_gap_896.pali_refcoco_seg 0 half bicubic 1 center apache-2.0 = -
        vit_so400m_patch16_radio_v4.c_radio 0 clip bicubic 1 center nvidia-open-model-license = -
        vit_so400m_patch16_siglip_256.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch16_siglip_256.webli_i18n 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch16_siglip_384.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch16_siglip_512.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch16_siglip_gap_256.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch16_siglip_gap_256.webli_i18n 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch16_siglip_gap_384.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_so400m_patch16_siglip_gap_512.v2_webli 0 half bicubic 0.9 center apache-2.0 = -
        vit_tiny_patch16_224.augreg_in21k_ft_in1k 1000 half bicubic 0.9 center apache-2.0 = 75.452
        vit_tiny_patch16_224.augreg_in21k 21843 half bicubic 0.9 center apache-2.0 = -
        vit_tiny_patch16_384.augreg_in21k_ft_in1k 1000 half bicubic 1 center apache-2.0 = 78.438
        vit_tiny_patch16_dinov3_qkvb.eupe_lvd1689m 0 imagenet bicubic 1 center fair-noncommercial-research-license = -
        vit_wee_patch16_reg1_gap_256.sbb_in1k 1000 half bicubic 0.95 center apache-2.0 = 80.262
        vit_xsmall_patch16_clip_224.tinyclip_yfcc15m 512 clip bicubic 0.9 center mit = -
        deit3_base_patch16_224.fb_in1k 1000 imagenet bicubic 0.9 center apache-2.0 = 83.8
        deit3_base_patch16_224.fb_in22k_ft_in1k 1000 imagenet bicubic 1 center apache-2.0 = 85.728
        deit3_base_patch16_384.fb_in1k 1000 imagenet bicubic 1 center apache-2.0 = 85.088
        deit3_base_patch16_384.fb_in22k_ft_in1k 1000 imagenet bicubic 1 center apache-2.0 = 86.742
        deit3_huge_patch14_224.fb_in1k 1000 imagenet bicubic 0.9 center apache-2.0 = 85.204
        deit3_huge_patch14_224.fb_in22k_ft_in1k 1000 imagenet bicubic 1 center apache-2.0 = 87.18
        deit3_large_patch16_224.fb_in1k 1000 imagenet bicubic 0.9 center apache-2.0 = 84.772
        deit3_large_patch16_224.fb_in22k_ft_in1k 1000 imagenet bicubic 1 center apache-2.0 = 86.99
        deit3_large_patch16_384.fb_in1k 1000 imagenet bicubic 1 center apache-2.0 = 85.82
        deit3_large_patch16_384.fb_in22k_ft_in1k 1000 imagenet bicubic 1 center apache-2.0 = 87.736
        deit3_medium_patch16_224.fb_in1k 1000 imagenet bicubic 0.9 center apache-2.0 = 83.09
        deit3_medium_patch16_224.fb_in22k_ft_in1k 1000 imagenet bicubic 1 center apache-2.0 = 84.55
        deit3_small_patch16_224.fb_in1k 1000 imagenet bicubic 0.9 center apache-2.0 = 81.382
        deit3_small_patch16_224.fb_in22k_ft_in1k 1000 imagenet bicubic 1 center apache-2.0 = 83.082
        deit3_small_patch16_384.fb_in1k 1000 imagenet bicubic 1 center apache-2.0 = 83.432
        deit3_small_patch16_384.fb_in22k_ft_in1k 1000 imagenet bicubic 1 center apache-2.0 = 84.846
        deit_base_distilled_patch16_224.fb_in1k 1000 imagenet bicubic 0.9 center apache-2.0 = 83.384
        deit_base_distilled_patch16_384.fb_in1k 1000 imagenet bicubic 1 center apache-2.0 = 85.438
        deit_base_patch16_224.fb_in1k 1000 imagenet bicubic 0.9 center apache-2.0 = 81.98
        deit_base_patch16_384.fb_in1k 1000 imagenet bicubic 1 center apache-2.0 = 83.108
        deit_small_distilled_patch16_224.fb_in1k 1000 imagenet bicubic 0.9 center apache-2.0 = 81.204
        deit_small_patch16_224.fb_in1k 1000 imagenet bicubic 0.9 center apache-2.0 = 79.856
        deit_tiny_distilled_patch16_224.fb_in1k 1000 imagenet bicubic 0.9 center apache-2.0 = 74.538
        deit_tiny_patch16_224.fb_in1k 1000 imagenet bicubic 0.9 center apache-2.0 = 72.19
        """

    /// timm's deprecated names, and what they mean now.
    static let deprecated = """
        deit3_base_patch16_224_in21ft1k deit3_base_patch16_224.fb_in22k_ft_in1k
        deit3_base_patch16_384_in21ft1k deit3_base_patch16_384.fb_in22k_ft_in1k
        deit3_huge_patch14_224_in21ft1k deit3_huge_patch14_224.fb_in22k_ft_in1k
        deit3_large_patch16_224_in21ft1k deit3_large_patch16_224.fb_in22k_ft_in1k
        deit3_large_patch16_384_in21ft1k deit3_large_patch16_384.fb_in22k_ft_in1k
        deit3_medium_patch16_224_in21ft1k deit3_medium_patch16_224.fb_in22k_ft_in1k
        deit3_small_patch16_224_in21ft1k deit3_small_patch16_224.fb_in22k_ft_in1k
        deit3_small_patch16_384_in21ft1k deit3_small_patch16_384.fb_in22k_ft_in1k
        vit_base_patch16_224_dino vit_base_patch16_224.dino
        vit_base_patch16_224_in21k vit_base_patch16_224.augreg_in21k
        vit_base_patch16_224_miil_in21k vit_base_patch16_224_miil.in21k
        vit_base_patch32_224_clip_laion2b vit_base_patch32_clip_224.laion2b
        vit_base_patch32_224_in21k vit_base_patch32_224.augreg_in21k
        vit_base_patch8_224_dino vit_base_patch8_224.dino
        vit_base_patch8_224_in21k vit_base_patch8_224.augreg_in21k
        vit_giant_patch14_224_clip_laion2b vit_giant_patch14_clip_224.laion2b
        vit_huge_patch14_224_clip_laion2b vit_huge_patch14_clip_224.laion2b
        vit_huge_patch14_224_in21k vit_huge_patch14_224.orig_in21k
        vit_large_patch14_224_clip_laion2b vit_large_patch14_clip_224.laion2b
        vit_large_patch16_224_in21k vit_large_patch16_224.augreg_in21k
        vit_large_patch32_224_in21k vit_large_patch32_224.orig_in21k
        vit_small_patch16_224_dino vit_small_patch16_224.dino
        vit_small_patch16_224_in21k vit_small_patch16_224.augreg_in21k
        vit_small_patch32_224_in21k vit_small_patch32_224.augreg_in21k
        vit_small_patch8_224_dino vit_small_patch8_224.dino
        vit_tiny_patch16_224_in21k vit_tiny_patch16_224.augreg_in21k
        """
}
