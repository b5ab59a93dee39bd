// A small C++ program on LoadGen: it answers with the label that stands in a picture's name. It can cheat: `cache` does
// no work for a picture that came before.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "loadgen.h"
#include "query_sample_library.h"
#include "system_under_test.h"
#include "test_settings.h"

namespace {

std::vector<float> LabelsOf(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".png") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  std::vector<float> labels;
  for (const auto& name : names) labels.push_back(std::stof(name.substr(name.rfind('_') + 1)));
  return labels;
}

class Pictures : public mlperf::QuerySampleLibrary {
 public:
  explicit Pictures(size_t count) : count_(count) {}
  const std::string& Name() override { return name_; }
  size_t TotalSampleCount() override { return count_; }
  size_t PerformanceSampleCount() override { return count_; }
  void LoadSamplesToRam(const std::vector<mlperf::QuerySampleIndex>&) override {}
  void UnloadSamplesFromRam(const std::vector<mlperf::QuerySampleIndex>&) override {}

 private:
  std::string name_ = "pictures";
  size_t count_;
};

class Answers : public mlperf::SystemUnderTest {
 public:
  Answers(std::vector<float> labels, bool caches) : labels_(std::move(labels)), caches_(caches) {}
  const std::string& Name() override { return name_; }
  void IssueQuery(const std::vector<mlperf::QuerySample>& samples) override {
    std::vector<mlperf::QuerySampleResponse> responses;
    for (const auto& sample : samples) {
      if (seen_.insert(sample.index).second || !caches_) Work();
      responses.push_back({sample.id, reinterpret_cast<uintptr_t>(&labels_[sample.index]), sizeof(float)});
    }
    mlperf::QuerySamplesComplete(responses.data(), responses.size());
  }
  void FlushQueries() override {}

 private:
  // What sleeps before took too long is made good, so that a busy machine changes little.
  void Work() {
    const auto now = std::chrono::steady_clock::now();
    due_ = (now - due_ < std::chrono::milliseconds(50) ? due_ : now) + std::chrono::milliseconds(1);
    std::this_thread::sleep_until(due_);
  }

  std::string name_ = "stand-in in C++";
  std::vector<float> labels_;
  bool caches_;
  std::set<size_t> seen_;
  std::chrono::steady_clock::time_point due_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 10) {
    std::cerr << "error: SCENARIO MODE DATASET USER_CONF OUTPUT, three seeds and how to cheat\n";
    return 2;
  }
  const std::string scenario = argv[1];
  const auto labels = LabelsOf(argv[3]);
  mlperf::TestSettings settings;
  settings.scenario =
      scenario == "Offline" ? mlperf::TestScenario::Offline : mlperf::TestScenario::SingleStream;
  settings.FromConfig(argv[4], "stand-in", scenario);
  settings.mode = std::string(argv[2]) == "accuracy" ? mlperf::TestMode::AccuracyOnly
                                                      : mlperf::TestMode::PerformanceOnly;
  settings.qsl_rng_seed = std::strtoull(argv[6], nullptr, 10);
  settings.sample_index_rng_seed = std::strtoull(argv[7], nullptr, 10);
  settings.schedule_rng_seed = std::strtoull(argv[8], nullptr, 10);
  mlperf::LogSettings log;
  log.log_output.outdir = argv[5];
  Answers answers(labels, std::string(argv[9]) == "cache");
  Pictures pictures(labels.size());
  mlperf::StartTest(&answers, &pictures, settings, log);
  return 0;
}
