#include "rltune/nn/policy_network.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>

#include "rltune/base/random.hpp"
#include "rltune/base/sha256.hpp"

namespace rltune::nn {
namespace {

NetworkDescription random_network(const std::vector<std::size_t>& widths, Activation hidden, Activation last,
                                  std::uint64_t seed) {
  Random random(seed);
  NetworkDescription description;
  for (std::size_t i = 0; i < widths.front(); ++i) {
    description.mean.push_back(static_cast<float>(random.uniform(-3.0, 3.0)));
    description.scale.push_back(static_cast<float>(random.uniform(0.1, 4.0)));
  }
  description.clip = 5.0F;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    DenseLayer layer{widths[l], widths[l + 1], {}, {}, l + 2 == widths.size() ? last : hidden};
    const double spread = std::sqrt(2.0 / static_cast<double>(widths[l]));
    for (std::size_t i = 0; i < layer.inputs * layer.outputs; ++i)
      layer.weight.push_back(static_cast<float>(spread * random.uniform(-1.7, 1.7)));
    for (std::size_t i = 0; i < layer.outputs; ++i) layer.bias.push_back(static_cast<float>(random.uniform(-0.2, 0.2)));
    description.layers.push_back(std::move(layer));
  }
  return description;
}

std::vector<float> random_observation(std::size_t size, Random& random) {
  std::vector<float> observation(size);
  for (float& value : observation) value = static_cast<float>(random.uniform(-9.0, 9.0));
  return observation;
}

double activated(double x, Activation activation) {
  switch (activation) {
    case Activation::identity:
      return x;
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::tanh:
      return std::tanh(x);
    case Activation::silu:
      return x / (1.0 + std::exp(-x));
  }
  return 0.0;
}

// The definition in the header, in double precision.
std::vector<double> reference(const NetworkDescription& description, std::span<const float> observation) {
  std::vector<double> x;
  for (std::size_t i = 0; i < observation.size(); ++i) {
    double value = (static_cast<double>(observation[i]) - description.mean[i]) * description.scale[i];
    if (description.clip > 0.0F) value = std::clamp<double>(value, -description.clip, description.clip);
    x.push_back(value);
  }
  for (const DenseLayer& layer : description.layers) {
    std::vector<double> y;
    for (std::size_t o = 0; o < layer.outputs; ++o) {
      double sum = layer.bias[o];
      for (std::size_t i = 0; i < layer.inputs; ++i) sum += x[i] * layer.weight[o * layer.inputs + i];
      y.push_back(activated(sum, layer.activation));
    }
    x = std::move(y);
  }
  for (double& value : x) value = std::clamp(value, -1.0, 1.0);
  return x;
}

// Sets RLTUNE_ISA while it lives.
class ForcedInstructionSet {
 public:
  explicit ForcedInstructionSet(const char* name) { ::setenv("RLTUNE_ISA", name, 1); }
  ~ForcedInstructionSet() { ::unsetenv("RLTUNE_ISA"); }
};

std::vector<std::uint32_t> output_bits(const NetworkDescription& description, int count) {
  auto network = PolicyNetwork::create(description);
  EXPECT_TRUE(network) << network.error().message;
  Random random(11);
  std::vector<std::uint32_t> bits;
  std::vector<float> action(network->outputs());
  for (int i = 0; i < count; ++i) {
    network->act(random_observation(network->inputs(), random), action);
    for (const float value : action) bits.push_back(std::bit_cast<std::uint32_t>(value));
  }
  return bits;
}

const std::vector<std::vector<std::size_t>> kShapes{
    {4, 64, 64, 2},    {1, 1},       {3, 5, 7, 1}, {17, 33, 48, 6}, {21, 256, 256, 3},
    {23, 130, 31, 40}, {64, 16, 15}, {2, 100, 4}};
constexpr std::array kHidden{Activation::relu, Activation::tanh, Activation::silu, Activation::identity};

TEST(PolicyNetwork, agrees_with_the_definition_in_double_precision) {
  for (const auto& shape : kShapes)
    for (const Activation hidden : kHidden)
      for (const Activation last : {Activation::tanh, Activation::identity}) {
        const NetworkDescription description = random_network(shape, hidden, last, 7);
        auto network = PolicyNetwork::create(description);
        ASSERT_TRUE(network);
        Random random(3);
        std::vector<float> action(network->outputs());
        for (int i = 0; i < 20; ++i) {
          const auto observation = random_observation(network->inputs(), random);
          network->act(observation, action);
          const auto expected = reference(description, observation);
          for (std::size_t o = 0; o < action.size(); ++o) ASSERT_NEAR(action[o], expected[o], 2e-5);
        }
      }
}

TEST(PolicyNetwork, every_instruction_set_gives_the_same_bits) {
  int compared = 0;
  for (const char* name : {"v3", "avx512"}) {
    const NetworkDescription probe = random_network({1, 1}, Activation::relu, Activation::tanh, 1);
    {
      const ForcedInstructionSet forced(name);
      if (!PolicyNetwork::create(probe)) continue;
    }
    ++compared;
    for (const auto& shape : kShapes)
      for (const Activation hidden : kHidden)
        for (const Activation last : kHidden) {
          const NetworkDescription description = random_network(shape, hidden, last, 5);
          std::vector<std::uint32_t> baseline, other;
          {
            const ForcedInstructionSet forced("baseline");
            baseline = output_bits(description, 25);
          }
          {
            const ForcedInstructionSet forced(name);
            other = output_bits(description, 25);
          }
          ASSERT_EQ(baseline, other) << name;
        }
  }
  if (compared == 0) GTEST_SKIP() << "this machine has the baseline instruction set alone";
}

// The bits of an inference are part of every recorded decision: whatever changes this digest breaks the
// replay of decisions already on disk. Recorded on an AVX-512 machine with GCC 14.
TEST(PolicyNetwork, bits_stay_those_of_recorded_decisions) {
  std::string bytes;
  for (const Activation hidden : kHidden) {
    const auto bits = output_bits(random_network({9, 70, 33, 3}, hidden, Activation::tanh, 99), 50);
    for (const std::uint32_t word : bits)
      for (unsigned shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>((word >> shift) & 0xffU));
  }
  EXPECT_EQ(sha256(bytes), "7744eef810e8a269b7ad1cec2dade15a831c2186058782cb4807baf11c8ed635");
}

// One layer without weights to speak of shows the activation itself.
float through(Activation activation, float x) {
  NetworkDescription description{
      {0.0F}, {1.0F}, 0.0F, {{1, 1, {1.0F}, {0.0F}, activation}, {1, 1, {0.01F}, {0.0F}, Activation::identity}}};
  auto network = PolicyNetwork::create(description);
  float out = 0.0F;
  network->act({&x, 1}, {&out, 1});
  return out * 100.0F;
}

TEST(PolicyNetwork, activations_are_accurate_over_their_range) {
  for (float x = -20.0F; x <= 20.0F; x += 0.0371F) {
    EXPECT_NEAR(through(Activation::tanh, x), std::tanh(static_cast<double>(x)), 4e-7) << x;
    EXPECT_NEAR(through(Activation::silu, x), activated(x, Activation::silu), 4e-7 * std::max(1.0F, std::abs(x))) << x;
  }
  EXPECT_EQ(through(Activation::tanh, 90.0F), through(Activation::tanh, 1e30F));
  EXPECT_EQ(through(Activation::relu, -3.0F), 0.0F);
}

TEST(PolicyNetwork, output_stays_within_one_whatever_the_observation) {
  for (const Activation last : kHidden) {
    auto network = PolicyNetwork::create(random_network({6, 32, 4}, Activation::relu, last, 4));
    ASSERT_TRUE(network);
    std::vector<float> action(4);
    for (const float value : {0.0F, -0.0F, 1e-40F, 1e30F, -1e30F, std::numeric_limits<float>::max()}) {
      network->act(std::vector<float>(6, value), action);
      for (const float a : action) EXPECT_TRUE(a >= -1.0F && a <= 1.0F) << a;
    }
  }
}

TEST(PolicyNetwork, not_a_finite_observation_gives_nan_and_the_next_is_sound) {
  auto network = PolicyNetwork::create(random_network({5, 19, 2}, Activation::relu, Activation::tanh, 4));
  ASSERT_TRUE(network);
  std::vector<float> before(2), action(2);
  network->act(std::vector<float>(5, 0.5F), before);
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()})
    for (std::size_t i = 0; i < 5; ++i) {
      std::vector<float> observation(5, 0.5F);
      observation[i] = value;
      network->act(observation, action);
      for (const float a : action) EXPECT_TRUE(std::isnan(a));
      network->act(std::vector<float>(5, 0.5F), action);
      EXPECT_EQ(action, before);
    }
}

TEST(PolicyNetwork, relu_does_not_hide_an_overflow) {
  const float huge = std::numeric_limits<float>::max();
  // inf - inf inside: the answer must be NaN, not a harmless-looking number.
  NetworkDescription description{{0.0F},
                                 {1.0F},
                                 0.0F,
                                 {{1, 2, {huge, huge}, {0.0F, 0.0F}, Activation::relu},
                                  {2, 1, {1.0F, -1.0F}, {0.0F}, Activation::relu},
                                  {1, 1, {1.0F}, {0.0F}, Activation::tanh}}};
  auto network = PolicyNetwork::create(description);
  ASSERT_TRUE(network);
  const float x = 4.0F;
  float out = 0.0F;
  network->act({&x, 1}, {&out, 1});
  EXPECT_TRUE(std::isnan(out));
}

TEST(PolicyNetwork, unsound_descriptions_are_refused_with_the_reason) {
  const NetworkDescription sound = random_network({3, 4, 2}, Activation::relu, Activation::tanh, 1);
  const auto reason = [](const NetworkDescription& description) {
    const auto network = PolicyNetwork::create(description);
    return network ? std::string("accepted") : network.error().message;
  };
  auto broken = sound;
  broken.layers[1].inputs = 5;
  EXPECT_NE(reason(broken).find("layer 2 takes 5 inputs, 4 come in"), std::string::npos);
  broken = sound;
  broken.layers[0].weight.pop_back();
  EXPECT_NE(reason(broken).find("11 weights instead of 12"), std::string::npos);
  broken = sound;
  broken.layers[0].bias[2] = std::numeric_limits<float>::infinity();
  EXPECT_NE(reason(broken).find("layer 1 bias[2] is not a finite number"), std::string::npos);
  broken = sound;
  broken.scale.pop_back();
  EXPECT_NE(reason(broken).find("2 scales for 3 means"), std::string::npos);
  broken = sound;
  broken.layers.clear();
  EXPECT_NE(reason(broken).find("0 layers"), std::string::npos);
  EXPECT_NE(reason({}).find("0 inputs"), std::string::npos);
}

TEST(PolicyNetwork, unknown_instruction_set_is_refused) {
  const ForcedInstructionSet forced("avx1024");
  const auto network = PolicyNetwork::create(random_network({1, 1}, Activation::relu, Activation::tanh, 1));
  ASSERT_FALSE(network);
  EXPECT_NE(network.error().message.find("valid are baseline, v3 and avx512"), std::string::npos);
}

}  // namespace
}  // namespace rltune::nn
