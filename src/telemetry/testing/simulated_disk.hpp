// A disk that does what disks and kernels may do: it keeps what was synced, of everything else any part, in any order;
// it loses names that nobody synced; it fails; it is full. One seed, one schedule.
//
// What it keeps of bytes that were not synced: pieces of a size that the crash chooses (a sector, or less: a torn one),
// each or not; a file may have grown by zeros. After a sync that failed, what it did not keep is gone for the next sync
// as well, though reads still see it.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <vector>

#include "rltune/base/random.hpp"
#include "rltune/telemetry/storage.hpp"

namespace rltune::telemetry {

class SimulatedDisk {
 public:
  struct Crash {};  // thrown where the machine stops

  explicit SimulatedDisk(std::uint64_t seed) : random_(seed) {}

  // The machine stops at the operation of this number from now on; 0: never.
  void crash_after(std::uint64_t operations) { left_ = operations; }
  // Of each sync, and of each write. From any thread.
  void fail_with(double sync, double write) { sync_fails_ = sync, write_fails_ = write; }
  void limit(std::uint64_t bytes) { bytes_max_ = bytes; }
  Random& random() { return random_; }

  // What is left when it starts again.
  void restart() {
    left_ = 0;
    for (auto& node : nodes_) node->settle(random_);
    for (const Change& change : changes_)
      if (random_.uniform() < 0.5) apply(change, durable_names_);
    changes_.clear();
    names_ = durable_names_;
  }

  // The bytes themselves, as somebody with an editor for disks sees them.
  std::string& bytes_of(const std::string& name) { return names_.at(name)->now; }
  std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (const auto& [name, node] : names_) list.push_back(name);
    return list;
  }
  // As if everything had been synced, after bytes_of() was changed.
  void make_durable() {
    for (auto& [name, node] : names_) node->durable = node->now, node->pending.clear();
    durable_names_ = names_;
    changes_.clear();
  }

  std::unique_ptr<Storage> storage() { return std::make_unique<Folder>(*this); }

 private:
  struct Write {
    std::uint64_t offset;
    std::string bytes;
  };
  struct Node {
    std::string now, durable;
    std::vector<Write> pending;

    static void put(std::string& to, std::uint64_t offset, std::string_view bytes) {
      if (to.size() < offset + bytes.size()) to.resize(offset + bytes.size());
      bytes.copy(to.data() + offset, bytes.size());
    }
    // Any part of what was not synced reaches the disk.
    void keep_some(Random& random) {
      constexpr std::array<std::size_t, 3> kPieces{7, 64, 512};
      const std::size_t piece = kPieces[random.below(kPieces.size())];
      const double kept = std::array{0.0, 0.3, 0.9, 1.0}[random.below(4)];
      std::size_t grown = durable.size();
      for (const Write& write : pending) {
        for (std::size_t at = 0; at < write.bytes.size(); at += piece)
          if (random.uniform() < kept) put(durable, write.offset + at, std::string_view(write.bytes).substr(at, piece));
        grown = std::max<std::size_t>(grown, write.offset + write.bytes.size());
      }
      if (durable.size() < grown && random.uniform() < 0.3) durable.resize(grown);
      pending.clear();
    }
    void settle(Random& random) {
      keep_some(random);
      now = durable;
    }
    void sync() {
      for (const Write& write : pending) put(durable, write.offset, write.bytes);
      pending.clear();
    }
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;
  struct Change {
    std::string name;
    std::shared_ptr<Node> node;  // none: removed
  };
  static void apply(const Change& change, Names& names) {
    if (change.node)
      names[change.name] = change.node;
    else
      names.erase(change.name);
  }

  void step() {
    if (left_ == 0) return;
    --left_;
    if (left_ == 0) throw Crash{};
  }
  bool happens(double probability) { return probability > 0.0 && random_.uniform() < probability; }
  std::uint64_t used() const {
    std::uint64_t sum = 0;
    for (const auto& [name, node] : names_) sum += node->now.size();
    return sum;
  }

  class File final : public StoredFile {
   public:
    File(SimulatedDisk& disk, std::shared_ptr<Node> node) : disk_(disk), node_(std::move(node)) {}
    Result<> write(std::uint64_t offset, std::string_view bytes) override {
      std::size_t room = bytes.size();
      if (disk_.bytes_max_ > 0 && offset + bytes.size() > node_->now.size()) {
        const std::uint64_t used = disk_.used();
        room = std::min<std::size_t>(room, used < disk_.bytes_max_ ? disk_.bytes_max_ - used : 0);
      }
      if (disk_.happens(disk_.write_fails_)) room = disk_.random_.below(bytes.size() + 1);
      const std::string_view part = bytes.substr(0, room);
      Node::put(node_->now, offset, part);
      node_->pending.push_back({offset, std::string(part)});
      disk_.step();  // it may stop with the bytes on their way
      if (room < bytes.size()) return fail(Errc::no_space, "full");
      return {};
    }
    Result<> sync() override {
      disk_.step();
      if (disk_.happens(disk_.sync_fails_)) {
        node_->keep_some(disk_.random_);
        return fail(Errc::io, "sync");
      }
      node_->sync();
      disk_.step();
      return {};
    }
    Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
      if (offset >= node_->now.size()) return 0;
      return node_->now.copy(into.data(), into.size(), offset);
    }
    Result<std::uint64_t> size() override { return node_->now.size(); }

   private:
    SimulatedDisk& disk_;
    std::shared_ptr<Node> node_;
  };

  class Folder final : public Storage {
   public:
    explicit Folder(SimulatedDisk& disk) : disk_(disk) {}
    Result<std::unique_ptr<StoredFile>> create(const std::string& name) override {
      if (disk_.names_.contains(name)) return fail(Errc::io, name + " is there");
      if (disk_.happens(disk_.write_fails_)) return fail(Errc::no_space, "full");
      const auto node = std::make_shared<Node>();
      disk_.nodes_.push_back(node);
      disk_.change({name, node});
      return std::make_unique<File>(disk_, node);
    }
    Result<std::unique_ptr<StoredFile>> open(const std::string& name) override {
      const auto found = disk_.names_.find(name);
      if (found == disk_.names_.end()) return fail(Errc::not_found, name);
      return std::make_unique<File>(disk_, found->second);
    }
    Result<> remove(const std::string& name) override {
      if (disk_.happens(disk_.write_fails_)) return fail(Errc::io, "remove");
      disk_.change({name, nullptr});
      return {};
    }
    Result<std::vector<std::string>> list() override { return disk_.names(); }
    Result<> sync() override {
      disk_.step();
      if (disk_.happens(disk_.sync_fails_)) return fail(Errc::io, "sync of the folder");
      disk_.durable_names_ = disk_.names_;
      disk_.changes_.clear();
      disk_.step();
      return {};
    }
    std::uint64_t free_bytes() override { return disk_.bytes_max_ == 0 ? 1U << 30U : disk_.bytes_max_; }

   private:
    SimulatedDisk& disk_;
  };

  void change(Change change) {
    apply(change, names_);
    changes_.push_back(std::move(change));
    step();
  }

  Random random_;
  std::vector<std::shared_ptr<Node>> nodes_;
  Names names_, durable_names_;
  std::vector<Change> changes_;
  std::uint64_t left_ = 0, bytes_max_ = 0;
  std::atomic<double> sync_fails_ = 0.0, write_fails_ = 0.0;
};

}  // namespace rltune::telemetry
