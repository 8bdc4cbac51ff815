"""Published figures, reproduced: `python -m benchmarks.paper_tables --data FOLDER`, on the whole of MNIST.

    name             model                                                 published
    pca-30           PCA                                                       13.87   H&S, Fig. 2B
    logistic-pca-30  784-30-784, linear code, logistic output                   8.01   H&S, Fig. 2B
    deep-30          784-1000-500-250-30 and back, linear code, else logistic   3.00   H&S, Fig. 2B
    deep-2           784-1000-500-250-2 and back                                none   H&S, Fig. 3B shows its codes only
    lecture-2        784-512-256-64-2 and back, all logistic                    none   the lecture's practice
    vae-20           784-400-20 and back, ReLU                                 105.6   PyTorch's example, epoch 10

H&S is Hinton & Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science 313, 2006. They train
on the cross-entropy Σ_j H(x_j, x̂_j) and report ‖x − x̂‖² per test image over all 10,000, pixels in [0, 1]: the same
scale as PCA's Σ_{i>L} λ_i. They pretrain with restricted Boltzmann machines and refine by conjugate gradients; here
both are replaced by Adam, a cosine schedule and an initialisation that suits sigmoids, so a figure near theirs says
that no pretraining is needed, and a gap says what first order and the epochs of the table leave.

The VAE's figure is the loss of PyTorch's example after ten epochs: cross-entropy + KL in nats per test image with ONE
draw of the noise. Grey pixels cost their own entropy whatever the model (floor), and a decoder that ignores its code
stays at the cross-entropy of the mean image (collapse level); squared errors have the mean image as their plateau. All
three are computed and printed.

The seconds are those of training, without the test error after each epoch. Training uses one thread.
"""
