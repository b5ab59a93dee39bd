// A small C++ program on LoadGen: it answers with the label that stands in a picture's name.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
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
  explicit Answers(std::vector<float> labels) : labels_(std::move(labels)) {}
  const std::string& Name() override { return name_; }
  void IssueQuery(const std::vector<mlperf::QuerySample>& samples) override {
    std::vector<mlperf::QuerySampleResponse> responses;
    for (const auto& sample : samples) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      responses.push_back({sample.id, reinterpret_cast<uintptr_t>(&labels_[sample.index]), sizeof(float)});
    }
    mlperf::QuerySamplesComplete(responses.data(), responses.size());
  }
  void FlushQueries() override {}

 private:
  std::string name_ = "stand-in in C++";
  std::vector<float> labels_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 9) {
    std::cerr << "error: SCENARIO MODE DATASET USER_CONF OUTPUT and three seeds\n";
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
  Answers answers(labels);
  Pictures pictures(labels.size());
  mlperf::StartTest(&answers, &pictures, settings, log);
  return 0;
}
