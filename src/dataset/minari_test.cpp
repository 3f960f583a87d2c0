// Files as Minari writes them, written by the HDF5 library itself.
#include <gtest/gtest.h>
#include <hdf5.h>

#include <format>
#include <fstream>

#include "rltune/base/file.hpp"
#include "rltune/base/random.hpp"
#include "some_dataset.hpp"

namespace rltune::dataset {
namespace {

class Writer {
 public:
  explicit Writer(const std::filesystem::path& path)
      : file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  ~Writer() { H5Fclose(file_); }

  void attribute(const char* name, const std::string& text) const {
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, H5T_VARIABLE);
    const hid_t made = H5Acreate2(file_, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    const char* pointer = text.c_str();
    H5Awrite(made, type, static_cast<const void*>(&pointer));
    H5Aclose(made);
    H5Sclose(space);
    H5Tclose(type);
  }
  void group(const std::string& name) const {
    H5Gclose(H5Gcreate2(file_, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  }
  template <typename T>
  void table(const std::string& name, std::vector<hsize_t> extent, const std::vector<T>& values, hid_t stored,
             hid_t given) const {
    const hid_t space = H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr);
    const hid_t made = H5Dcreate2(file_, name.c_str(), stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(made, given, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(made);
    H5Sclose(space);
  }
  // h5py's booleans: an enumeration of bytes.
  void flags(const std::string& name, const std::vector<std::int8_t>& values) const {
    const hid_t type = H5Tenum_create(H5T_NATIVE_INT8);
    const std::int8_t no = 0, yes = 1;
    H5Tenum_insert(type, "FALSE", &no);
    H5Tenum_insert(type, "TRUE", &yes);
    table(name, {values.size()}, values, type, type);
    H5Tclose(type);
  }
  void link(const std::string& target, const std::string& name) const {
    H5Lcreate_soft(target.c_str(), file_, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
  }

  // `steps` steps with 2 observations and an action of [-2, 2]; doubles, as many environments give them.
  void episode(int number, std::size_t steps, bool terminated) const {
    const std::string name = "episode_" + std::to_string(number);
    group(name);
    std::vector<double> observations, actions, rewards;
    for (std::size_t step = 0; step <= steps; ++step) {
      observations.push_back(100.0 * number + static_cast<double>(step));
      observations.push_back(-1.0);
      if (step == steps) break;
      actions.push_back(step % 2 == 0 ? 2.0 : -1.0);
      rewards.push_back(static_cast<double>(step));
    }
    table(name + "/observations", {steps + 1, 2}, observations, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE);
    table(name + "/actions", {steps, 1}, actions, H5T_IEEE_F32LE, H5T_NATIVE_DOUBLE);
    table(name + "/rewards", {steps}, rewards, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE);
    std::vector<std::int8_t> ended(steps), cut(steps);
    (terminated ? ended : cut).back() = 1;
    flags(name + "/terminations", ended);
    flags(name + "/truncations", cut);
    group(name + "/infos");
  }

 private:
  hid_t file_;
};

constexpr const char* kBox = R"({"type": "Box", "dtype": "float32", "shape": [1], "low": [-2.0], "high": [2.0]})";
constexpr const char* kUnbounded =
    R"({"type": "Box", "dtype": "float64", "shape": [2], "low": [-Infinity, -Infinity], "high": [Infinity, Infinity]})";

TEST(Minari, reads_what_the_library_of_that_name_writes) {
  const Folder folder;
  std::filesystem::create_directories(folder.path / "data");
  {
    const Writer writer(folder.path / "data" / "main_data.hdf5");
    writer.attribute("action_space", kBox);
    writer.attribute("observation_space", kUnbounded);
    writer.attribute("dataset_id", "pendulum-expert-v0");
    writer.attribute("author", "somebody");
    for (int number = 0; number < 12; ++number) writer.episode(number, 3, number == 11);
  }
  const auto dataset = dataset::read(folder.path);
  ASSERT_TRUE(dataset) << dataset.error().message;
  EXPECT_EQ(dataset->name, "pendulum-expert-v0");
  EXPECT_EQ(dataset->metadata.at("author"), "somebody");
  ASSERT_EQ(dataset->episodes.size(), 12U);
  EXPECT_EQ(dataset->discrete_actions, 0U);
  EXPECT_EQ(dataset->action[0].high, 2.0);
  const Episode &third = dataset->episodes[2], &last = dataset->episodes[11];
  EXPECT_EQ(third.observations[0], 200.0F);  // by number, not by name
  EXPECT_EQ(third.observations.size(), 8U);
  EXPECT_EQ(third.actions, (std::vector<float>{1.0F, -0.5F, 1.0F}));
  EXPECT_EQ(third.rewards, (std::vector<float>{0, 1, 2}));
  EXPECT_FALSE(third.terminated);
  EXPECT_TRUE(last.terminated);
}

TEST(Minari, the_newer_layout_describes_itself_in_a_file_beside_the_data) {
  const Folder folder;
  {
    const Writer writer(folder.path / "main_data.hdf5");
    writer.group("episode_0");
    writer.table<float>("episode_0/observations", {3, 2}, {1, 2, 3, 4, 5, 6}, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT);
    writer.table<std::int64_t>("episode_0/actions", {2}, {1, 3}, H5T_STD_I64LE, H5T_NATIVE_INT64);
    writer.table<float>("episode_0/rewards", {2}, {1, 1}, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT);
    writer.flags("episode_0/terminations", {0, 1});
    writer.flags("episode_0/truncations", {0, 0});
  }
  ASSERT_TRUE(write_file(folder.path / "metadata.json",
                         R"({"dataset_id": "cartpole/test-v0", "action_space":
                         "{\"type\": \"Discrete\", \"dtype\": \"int64\", \"start\": 1, \"n\": 3}"})"));
  const auto dataset = read_minari(folder.path / "main_data.hdf5");
  ASSERT_TRUE(dataset) << dataset.error().message;
  EXPECT_EQ(dataset->name, "cartpole/test-v0");
  EXPECT_EQ(dataset->discrete_actions, 3U);
  EXPECT_EQ(dataset->episodes[0].actions, (std::vector<float>{0, 2}));
}

// A sound file but for one thing; what is said names episode and field.
template <typename Spoil>
std::string message_of(Spoil spoil) {
  const Folder folder;
  const auto path = folder.path / "main_data.hdf5";
  {
    const Writer writer(path);
    writer.attribute("action_space", kBox);
    writer.episode(0, 3, true);
    writer.group("episode_1");
    writer.template table<float>("episode_1/observations", {2, 2}, {1, 2, 3, 4}, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT);
    writer.flags("episode_1/truncations", {1});
    spoil(writer);
  }
  const auto dataset = dataset::read(path);
  return dataset ? "well" : dataset.error().message;
}

void rest(const Writer& writer, const std::vector<float>& actions, const std::vector<float>& rewards,
          const std::vector<std::int8_t>& ended) {
  writer.table<float>("episode_1/actions", {actions.size()}, actions, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT);
  writer.table<float>("episode_1/rewards", {rewards.size()}, rewards, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT);
  writer.flags("episode_1/terminations", ended);
}

TEST(Minari, errors_name_episode_and_field) {
  const auto has = [](const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos ? testing::AssertionSuccess() : testing::AssertionFailure() << text;
  };
  EXPECT_EQ(message_of([](const Writer& w) { rest(w, {0.5F}, {1.0F}, {0}); }), "well");
  EXPECT_TRUE(has(message_of([](const Writer&) {}), "episode 1: episode_1/actions: is not there"));
  EXPECT_TRUE(has(message_of([](const Writer& w) { rest(w, {0.5F, 1.0F}, {1.0F}, {0}); }), "episode 1, actions"));
  EXPECT_TRUE(has(message_of([](const Writer& w) { rest(w, {2.5F}, {1.0F}, {0}); }), "episode 1, actions: 2.5"));
  EXPECT_TRUE(has(message_of([](const Writer& w) { rest(w, {0.5F}, {1.0F, 2.0F}, {0}); }), "episode 1, observations"));
  EXPECT_TRUE(has(message_of([](const Writer& w) { rest(w, {0.5F}, {1.0F}, {0, 1}); }), "episode 1, terminations"));
  EXPECT_TRUE(has(message_of([](const Writer& w) { rest(w, {0.5F}, {std::nanf("")}, {0}); }), "episode 1, rewards"));
  EXPECT_TRUE(has(message_of([](const Writer& w) {
                    w.link("/episode_0/actions", "episode_1/actions");
                    w.link("/none", "episode_1/rewards");
                    w.flags("episode_1/terminations", {0});
                  }),
                  "episode_1/actions: is not there"));
  EXPECT_TRUE(has(message_of([](const Writer& w) {
                    w.group("episode_1/actions");
                    w.group("episode_1/rewards");
                    w.group("episode_1/terminations");
                  }),
                  "Dict or Tuple"));
}

TEST(Minari, a_large_claim_is_refused_before_it_is_read) {
  const Folder folder;
  const auto path = folder.path / "main_data.hdf5";
  {
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(H5Gcreate2(file, "episode_0", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    const hsize_t extent[2] = {hsize_t{1} << 40U, 8};
    const hsize_t chunk[2] = {1024, 8};
    const hid_t space = H5Screate_simple(2, extent, nullptr), how = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(how, 2, chunk);  // nothing of it is stored
    H5Dclose(H5Dcreate2(file, "episode_0/observations", H5T_IEEE_F32LE, space, H5P_DEFAULT, how, H5P_DEFAULT));
    H5Pclose(how);
    H5Sclose(space);
    H5Fclose(file);
  }
  const auto dataset = dataset::read(path);
  ASSERT_FALSE(dataset);
  EXPECT_NE(dataset.error().message.find("larger than can be held"), std::string::npos) << dataset.error().message;
}

TEST(Minari, what_is_no_hdf5_file_is_refused) {
  const Folder folder;
  ASSERT_TRUE(write_file(folder.path / "main_data.hdf5", "\x89HDF\r\n\x1a\nand then nothing"));
  EXPECT_EQ(dataset::read(folder.path / "main_data.hdf5").error().code, Errc::parse);
  EXPECT_EQ(read_minari(folder.path / "none.hdf5").error().code, Errc::not_found);
}

// Cut short anywhere, or with bytes changed anywhere: it is refused, or what comes of it keeps what check() asks.
TEST(Minari, a_damaged_file_is_refused_or_read_soundly) {
  const Folder folder;
  const auto file = folder.path / "main_data.hdf5";
  {
    const Writer writer(file);
    writer.attribute("action_space", kBox);
    writer.attribute("observation_space", kUnbounded);
    for (int number = 0; number < 3; ++number) writer.episode(number, 3, number == 2);
  }
  const std::string whole = *read_file(file);
  int refused = 0, read = 0;
  const auto attempt = [&](const std::string& bytes, const std::string& what) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;  // write_file() would wait for the disk
    const auto dataset = dataset::read(file);
    ++(dataset ? read : refused);
    if (dataset) {
      EXPECT_TRUE(check(*dataset)) << what;
    } else {
      EXPECT_FALSE(dataset.error().message.empty()) << what;
    }
  };
  for (std::size_t part = 0; part < 100; ++part)
    ASSERT_NO_FATAL_FAILURE(attempt(whole.substr(0, part * whole.size() / 100), "cut at a hundredth"));
  EXPECT_EQ(read, 0) << "of files cut short";
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    Random random(seed);
    std::string bytes = whole;
    const std::uint64_t changes = 1 + random.below(8);
    for (std::uint64_t i = 0; i < changes; ++i)
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    ASSERT_NO_FATAL_FAILURE(attempt(bytes, std::format("seed {}", seed)));
  }
  EXPECT_GT(refused, 200);
  EXPECT_GT(read, 100) << "most bytes of such a file are nobody's";
}

}  // namespace
}  // namespace rltune::dataset
